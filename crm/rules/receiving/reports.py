"""What mail servers and complaint desks report: which letter did not arrive, or was not wanted (RFC 3464, 5965)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from crm.rules.receiving.parsing import Mail
from crm.rules.receiving.parts import flat, leaves, payload_of, within
from crm.rules.receiving.texts import addresses, decoded, header, message_ids

MOST_RECIPIENTS = 20
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_CODE = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_OUR_ID = re.compile(r"^\s*Message-ID:\s*(<[^<>\s]{1,490}>)", re.IGNORECASE | re.MULTILINE)
_NOT_THEIR_FAULT = frozenset({"2.2", "3.4", "4.7", "7.26"})


@dataclass(frozen=True)
class Failure:
    """One recipient whom a letter did not reach: for good (`is_hard`), or this time."""

    address: str
    is_hard: bool
    detail: str


@dataclass(frozen=True)
class Told:
    """What a report says: of whom, and of which letter by its Message-ID."""

    failures: tuple[Failure, ...] = ()
    complainers: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()


def told_by(mail: Mail) -> Told:
    """Read a report; one that only tells people in words is read by its words."""
    failures: list[Failure] = []
    complainers: list[str] = []
    for part in leaves(mail.message):
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            failures += _failures(part)
        elif kind == "message/feedback-report":
            complainers += _complainers(part)
    ids = _our_ids(mail)
    if not failures and not complainers:
        failures = _failures_in_words(mail)
    return Told(tuple(failures[:MOST_RECIPIENTS]), tuple(complainers[:MOST_RECIPIENTS]), ids)


def _failures(part: Message) -> list[Failure]:
    found = [_failure(block) for block in within(part)]
    return [failure for failure in found if failure is not None]


def _failure(block: Message) -> Failure | None:
    """Read what a report says of one recipient; None where it is no failure, or the block is about the whole."""
    action = header(block.get("Action", "")).lower()
    said = header(block.get("Final-Recipient", "")) or header(block.get("Original-Recipient", ""))
    recipient = addresses([said.rpartition(";")[2]])
    if not recipient or action in {"delivered", "relayed", "expanded"}:
        return None
    status = header(block.get("Status", ""))
    detail = header(block.get("Diagnostic-Code", "")) or status
    return Failure(recipient[0][1], _is_hard(status, action, detail), f"{status} {detail}".strip()[:500])


def _is_hard(status: str, action: str, detail: str) -> bool:
    """Whether the address is gone: 5.x.x, unless a mailbox is full, a message too large, or a policy against us."""
    if action == "delayed":
        return False
    found = _STATUS.search(status) or _STATUS.search(detail)
    if found is None:
        code = _CODE.search(detail)
        return bool(code and code[1] == "5")
    return found[1] == "5" and f"{found[2]}.{found[3]}" not in _NOT_THEIR_FAULT


def _failures_in_words(mail: Mail) -> list[Failure]:
    """Old servers write only to people: the addresses named before the letter comes back, and the code beside them."""
    known = addresses(mail.headers.get("x-failed-recipients", []))
    words = mail.text[:5_000]
    named = [address for _name, address in known] or [found.lower() for found in _ADDRESS.findall(words)]
    ours = {address for _name, address in (mail.sender, *mail.to)}
    detail = " ".join(words.split())[:500]
    unique = dict.fromkeys(address for address in named if address not in ours)
    return [Failure(address, _is_hard("", "", detail), detail) for address in list(unique)[:1]]


def _complainers(part: Message) -> list[str]:
    blocks = within(part)
    text = decoded(flat(blocks[0]) if blocks else payload_of(part))
    named = re.findall(r"^(?:Original-Rcpt-To|Removal-Recipient)\s*:\s*(.+)$", text, re.IGNORECASE | re.MULTILINE)
    return [address for _name, address in addresses(named)]


def _our_ids(mail: Mail) -> tuple[str, ...]:
    """Message-IDs of the letter that came back, from its copy or its headers inside the report; else the thread's."""
    found: list[str] = []
    for inner in mail.contents.messages:
        named = [str(value) for name, value in inner.raw_items() if name.lower() == "message-id"]
        found += message_ids(" ".join(named))
    for part in leaves(mail.message):
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            found += _OUR_ID.findall(decoded(payload_of(part)[:50_000]))
    if not found:
        found = _OUR_ID.findall(mail.text[-20_000:])
    return tuple(dict.fromkeys([*found, *mail.in_reply_to, *mail.references[-1:]]))
