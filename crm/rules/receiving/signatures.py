"""Signatures: what programs, employers and manners put under a text."""

from __future__ import annotations

import re

LONGEST_SIGNATURE = 15
"""More lines than that under a closing are no signature."""
_DASHES = re.compile(r"\s*(?:--|—|–|__+)\s*$")
_PROGRAM = re.compile(
    r"\s*[-*_\s]{0,4}(?:sent (?:from|via|with|by|using)\b.{0,80}|get outlook for\b.{0,60}"
    r"|отправлено (?:с|со|из|через|от|при помощи|с помощью)\b.{0,80}|отправлено .{0,40}(?:iphone|android|ipad"
    r"|почт).{0,40}"
    r"|(?:скачать|получить) outlook\b.{0,60}|написано (?:с|из|на)\b.{0,60}"
    r"|(?:yahoo! )?mail (?:on|for) (?:android|iphone).{0,40})\s*$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s*(?:(?:with )?(?:best|kind|kindest|warm|warmest|many|friendly)?\s?(?:regards|wishes)(?: to all)?|best"
    r"|cheers|sincerely"
    r"|yours(?: sincerely| faithfully| truly)?|(?:sincerely|faithfully|truly) yours|rgds|br|respectfully|take care"
    r"|с (?:глубоким |большим )?уважением|с наилучшими(?: пожеланиями)?|с (?:добрыми|лучшими) пожеланиями"
    r"|всего (?:доброго"
    r"|хорошего|наилучшего)|хорошего (?:дня|вечера)|удачи|искренне ваша?|ваша?)"
    r"\s*(?:[,.!;:—–-]\s*(?P<name>.{0,60}))?\s*$",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\s*(?:(?:many |best )?thanks(?: (?:again|a lot|in advance|and regards))?|thank you(?: (?:again|very much"
    r"|in advance))?"
    r"|спасибо|заранее (?:спасибо|благодарю|благодарен|благодарна)|благодарю)\s*[,.!—–-]*\s*$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"\s*(?:this (?:e-?mail|message|communication)\b.{0,120}(?:confidential|intended|privileged)"
    r"|(?:confidentiality|disclaimer|legal notice|caution)\b\s?(?:notice)?\s?:"
    r"|(?:настоящее|данное|это) (?:электронное )?(?:сообщение|письмо)\b.{0,160}(?:конфиденциальн|предназначен)"
    r"|уведомление о конфиденциальности)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[\w.,'’\- ]{1,40}$")


def without_signature(lines: list[str]) -> list[str]:
    """Return the lines down to where a signature begins; a text that is nothing else stays."""
    for number, line in enumerate(lines):
        if any(each.strip() for each in lines[:number]) and _begins_signature(lines, number):
            return lines[:number]
        if _PROGRAM.match(line) and not any(each.strip() for each in lines[number + 1 :]):
            return lines[:number]
    return lines


def _begins_signature(lines: list[str], number: int) -> bool:
    line = lines[number]
    below = [each for each in lines[number + 1 :] if each.strip()]
    if _DASHES.match(line):
        return len(below) <= 2 * LONGEST_SIGNATURE
    if _PROGRAM.match(line):
        return len(below) <= LONGEST_SIGNATURE
    if _DISCLAIMER.match(line):
        return True
    if len(below) > LONGEST_SIGNATURE:
        return False
    if closing := _CLOSING.match(line):
        return _is_short(below) and bool(below or closing["name"] or not _ends_sentence(line))
    return bool(_THANKS.match(line) and below and _NAME.match(below[0]) and _is_short(below))


def _is_short(lines: list[str]) -> bool:
    """Names, numbers and addresses are short; sentences are not."""
    return all(len(line) <= 120 for line in lines)


def _ends_sentence(line: str) -> bool:
    return line.rstrip().endswith("!")
