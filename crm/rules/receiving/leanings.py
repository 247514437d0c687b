"""How an answer sounds: a suggestion from phrases in English and Russian, never more than that.

Phrases rather than a learned model, so that the reason can be shown beside the suggestion: the words it rests on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm.models import Activity

Response = Activity.Response
LONGEST = 4_000
LONGEST_WORDS = 80

_NEGATIVE = re.compile(
    r"\b(?:not interested|no longer (?:interested|need\w*)|(?:we|i)(?:'| a)?re? not (?:looking|interested|going)"
    r"|(?:have|'ve) (?:decided|chosen|opted) (?:not|to go with another|against|for another)"
    r"|went with (?:another|someone|a competitor)"
    r"|(?:don't|do not|no) need (?:it|this|for)|too expensive|(?:please )?(?:stop|don't) (?:contact|writ|email"
    r"|mail|call)\w*"
    r"|remove (?:me|us)|unsubscribe|no,? thank(?:s| you)|not (?:a|the right) (?:fit|time|priority)"
    r"|not at this time|have to decline"
    r"|won't be (?:able|moving|needing)|will not be|pass on this|leave me alone|not relevant)"
    r"|(?:не (?:интересно|интересует|интересуют|актуально|нужно|нужны|нужен|требуется|подходит|планируем|готовы"
    r"|рассматриваем|пишите|звоните"
    r"|беспокойте)|неинтересно|неактуально|отказ(?:ались|ываемся|аться|)\b|выбрали (?:другого|других|другую"
    r"|конкурент\w*)"
    r"|слишком дорого|дороговато|нет (?:потребности|необходимости|бюджета)|отпишите|удалите (?:меня|нас|мой)"
    r"|больше не (?:пишите|надо)"
    r"|спасибо,? нет|нет,? спасибо|вынуждены отказать\w*)",
    re.IGNORECASE,
)
_POSITIVE = re.compile(
    r"\b(?:(?:i'm|i am|we're|we are|sounds|very|quite|be) (?:very )?interest(?:ed|ing)|sounds (?:good|great"
    r"|perfect)|looks (?:good|great)"
    r"|let'?s (?:talk|meet|do it|schedule|proceed|go ahead|move forward|have a call|set up)|(?:happy|glad"
    r"|love) to (?:talk|meet|chat|discuss|hear|learn)"
    r"|(?:send|share) (?:me |us |over )?(?:the |a |an |your |more )?(?:contract|proposal|quote|offer|invoice"
    r"|details|information|price\w*)"
    r"|when (?:can|could|are) (?:we|you)|(?:i|we) (?:accept|agree)|go ahead|works for (?:me|us)|tell me more"
    r"|book(?:ed)? (?:a )?(?:call|demo|meeting)"
    r"|(?:yes|sure),? (?:please|that|of course)|looking forward to|would (?:like|love) to (?:order|buy"
    r"|see|meet|talk|proceed|know more))"
    r"|(?:(?<!не )интересно|(?<!не )интересует|заинтересова(?:ло|ли|ны|н|л)|давайте (?:созвонимся|встретимся"
    r"|обсудим|попробуем|подпишем|назначим)"
    r"|готовы (?:обсудить|встретиться|подписать|начать|купить|заказать|оплатить)|(?:при|вы)шлите,? ?(?:пожалуйста,? )?"
    r"(?:кп|договор|счёт|счет|предложение|прайс|цен\w+|расчёт|расчет|презентаци\w+|подробн\w+)"
    r"|(?<!не )согласн?[аы]?\b|договорились|нас устраивает"
    r"|(?<!не )подходит|хот(?:им|ели бы|ел бы|ела бы|елось бы) (?:заказать|купить|обсудить|узнать|встретиться"
    r"|попробовать)"
    r"|когда (?:удобно|можем|можно|сможете)|жд[уё]м? (?:договор|счёт|счет|предложени\w+|звонка|вас)"
    r"|с удовольствием|отлично|да,? давайте)",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"\b(?:next (?:month|quarter|year)|(?:get|come) back to (?:you|us|me)|not (?:now|yet)|let me (?:think"
    r"|check)|need (?:some )?time"
    r"|will (?:think|consider|discuss)|in (?:a few|some|several) (?:weeks|months)|busy)\b"
    r"|(?:позже|подума(?:ем|ю|ть)|вернёмся|вернемся|вернусь|пока не|в следующем (?:месяце|квартале|году)"
    r"|рассмотрим|посоветуюсь|обсудим внутри)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Leaning:
    """A suggested response, and the words of the answer it rests on."""

    response: str
    because: str


NONE = Leaning(Response.NONE, "")


def leaning_of(new_text: str) -> Leaning:
    """Suggest how `new_text` took what it answers; none where its words do not say, or say both."""
    text = new_text[:LONGEST]
    negative, positive, later = _NEGATIVE.search(text), _POSITIVE.search(text), _LATER.search(text)
    if negative and positive:
        # "Not interested … sounds good otherwise": a refusal outweighs politeness, but is only said with care.
        return _leaning(Response.NEGATIVE, negative) if negative.start() <= positive.start() else NONE
    if negative:
        return _leaning(Response.NEGATIVE, negative)
    if later:
        return _leaning(Response.NEUTRAL, later)
    return _leaning(Response.POSITIVE, positive) if positive else NONE


def _leaning(response: str, found: re.Match[str]) -> Leaning:
    return Leaning(response, " ".join(found[0].split())[:LONGEST_WORDS])
