"""The new text of replies as mail programs write them; hostile messages in no time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from crm.rules.receiving.html_replies import new_text_of_html
from crm.rules.receiving.leanings import leaning_of
from crm.rules.receiving.natures import nature_of
from crm.rules.receiving.new_text import new_text_of
from crm.rules.receiving.parsing import parse
from crm.rules.receiving.reports import told_by
from tests.factories.mail import message

REAL_MAIL = Path(os.environ.get("REAL_MAIL", Path(__file__).resolve().parents[3] / "shared" / "data" / "mail"))


@pytest.mark.parametrize(
    "quotation",
    [
        "On Mon, 2 Jun 2026 at 10:00, Rita <rita@example.test> wrote:\n> Hi\n> there",
        "On Mon, 2 Jun 2026 at 10:00,\nRita <rita@example.test>\nwrote:\n\n> Hi",
        "02.06.2026 14:20, Rita пишет:\n> Привет",
        "2 июня 2026 г., 14:20, Rita <rita@example.test> написала:\n\n> Привет",
        "пн, 2 июн. 2026 г. в 14:20, Rita <rita@example.test>:\n\n> Привет",
        "Понедельник, 2 июня 2026, 14:20 +03:00 от Rita <rita@example.test>:\n\nПривет",
        '02.06.2026, 14:20, "Rita" <rita@example.test>:\n> Привет',
        "-----Original Message-----\nFrom: Rita\nSent: Monday\nTo: Anna\nSubject: Hi\n\nHi",
        "________________________________\nОт: Rita <rita@example.test>\nОтправлено: 2.6.2026\nКому: А\nТема: Э\n\nЭ",
        "От: Rita [mailto:rita@example.test]\nДата: 2 июня 2026\nКому: Anna\nТема: Привет\n\nПривет",
        "-------- Исходное сообщение --------\nПривет",
        "Am 02.06.2026 um 14:20 schrieb Rita:\n\n> Hallo",
        "> Hi\n> there",
    ],
)
@pytest.mark.parametrize(
    "signature",
    ["", "-- \nAnna\n+7 900 000", "Best regards,\nAnna", "С уважением,\nАнна Петрова", "Отправлено с iPhone"],
)
def test_only_what_is_new_remains(quotation: str, signature: str) -> None:
    said = "Yes, please.\n\n- one\n- two"
    assert new_text_of(f"{said}\n\n{signature}\n\n{quotation}\n") == said


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, I will look at it: tomorrow.",
        "From: our side all is well.",
        "The meeting is on 2 June at 10:00:\n- bring the contract",
        "Спасибо!",
        "Он написал:\nпозвоните завтра",
    ],
)
def test_own_words_are_no_quotation(text: str) -> None:
    assert new_text_of(text) == text


def test_words_between_and_below_quotations_are_own() -> None:
    assert new_text_of("On 2 Jun 2026, Rita wrote:\n> One?\nYes\n> Two?\nNo") == "Yes\n\nNo"


def test_html_reply() -> None:
    html = '<div>Да, <b>давайте</b></div><blockquote type="cite">Привет</blockquote>'
    assert new_text_of_html(html) == "Да, давайте"


@pytest.mark.skipif(not REAL_MAIL.exists(), reason="The real mails are not on this machine.")
def test_real_replies() -> None:
    texts = {path.name: parse(path.read_bytes()).new_text for path in (REAL_MAIL / "replies").glob("*.eml")}
    assert set(texts.values()) == {"Hello"}, texts
    pages = {path.name: new_text_of_html(path.read_text()) for path in (REAL_MAIL / "html_replies").glob("*.html")}
    assert set(pages.values()) == {"Hi. I am fine."}, pages


@pytest.mark.parametrize(
    ("headers", "nature"),
    [
        ({"Auto_Submitted": "auto-replied"}, "auto_reply"),
        ({"Auto_Submitted": "no"}, "person"),
        ({"X_Autoreply": "yes"}, "auto_reply"),
        ({"Precedence": "auto_reply"}, "auto_reply"),
        ({"subject": "Out of office: back on Monday"}, "auto_reply"),
        ({"subject": "Автоматический ответ: КП"}, "auto_reply"),
        ({"subject": "Re: the office is out of paper"}, "person"),
        ({"sender": "MAILER-DAEMON@mx.test", "subject": "Undelivered Mail Returned to Sender"}, "bounce"),
    ],
)
def test_natures(headers: dict[str, str], nature: str) -> None:
    assert nature_of(parse(message(**headers))) == nature


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("Спасибо, нам это не интересно", "negative"),
        ("Пришлите, пожалуйста, договор", "positive"),
        ("Давайте созвонимся завтра", "positive"),
        ("Вернёмся к этому в следующем квартале", "neutral"),
        ("Please remove me from your list", "negative"),
        ("Sounds great, when can we meet?", "positive"),
        ("I forwarded it to Peter.", "none"),
    ],
)
def test_leanings(text: str, response: str) -> None:
    assert leaning_of(text).response == response


HEAD = b"From: a@b.test\r\nSubject: x\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"


def nested(depth: int) -> bytes:
    """Parts within parts."""
    levels = [f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode() for n in range(depth)]
    return HEAD + b"".join(levels) + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        HEAD + b"X: " + b"a" * 10_000_000 + b"\r\n\r\nhello",
        HEAD + b"To: " + b"a@b.cc, " * 1_000_000 + b"\r\n\r\nhello",
        HEAD + b"References: " + b"<a@b> " * 1_000_000 + b"\r\n\r\nhello",
        nested(200),
        nested(1_500),
        HTML + b"<div>" * 100_000,
        HTML + b"<blockquote>" * 50_000,
        HTML + b"<b><div></b>" * 30_000,
        HEAD + b"\r\n" + b"On " * 30_000,
        HEAD + b"\r\n" + b"On a wrote\r\n" * 10_000,
        HEAD + b"\r\n" + b"From: a\r\n" * 10_000,
        HEAD + b"\r\n" + "От: a\r\nКому: б\r\n".encode() * 5_000,
    ],
    ids=range(13),
)
def test_hostile_messages_take_no_time(raw: bytes) -> None:
    began = time.process_time()
    mail = parse(raw)
    nature_of(mail)
    told_by(mail)
    assert time.process_time() - began < 8


def test_nothing_hidden_is_kept() -> None:
    mail = parse("From: a\0b\u202ec <a@b.test>\r\nSubject: x\u202egnp.exe\0\r\n\r\nte\0xt".encode())
    assert (mail.sender[0], mail.subject_line, mail.text) == ("abc", "xgnp.exe", "text")


@pytest.mark.parametrize(
    ("charset", "sent_as"), [("windows-1251", "cp1251"), ("utf-8", "koi8-r"), ("iso-8859-1", "cp1251"), ("", "utf-8")]
)
def test_encodings_that_lie(charset: str, sent_as: str) -> None:
    text = "Добрый день! Пришлите, пожалуйста, договор."
    said = f"Content-Type: text/plain; charset={charset}\r\n".encode() if charset else b""
    assert parse(HEAD + said + b"\r\n" + text.encode(sent_as)).text == text


def test_file_names_are_tame() -> None:
    raw = HEAD + b'Content-Type: application/pdf; name="../../etc/pass\xe2\x80\xaewd.pdf"\r\n\r\nMZ'
    file = parse(raw).contents.files[0]
    assert file.name == "passwd.pdf"
