"""amoCRM (Kommo abroad): CSV and XLSX exports in Russian and English."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_EMAILS = (
    "рабочий email", "личный email", "другой email", "work email", "private email", "personal email", "other email",
)  # fmt: skip
_PHONES = (
    "рабочий телефон", "рабочий прямой телефон", "мобильный телефон", "домашний телефон", "другой телефон",
    "work phone", "work direct phone", "mobile phone", "home phone", "other phone",
)  # fmt: skip
_TELLING = (
    "теги", "примечание", "кем создана сделка", "дата редактирования", "кем редактирована", "ответственный за контакт",
    "факс", "пользовательское соглашение", "tags", "note", "created by", "skype", "icq", "jabber", "google talk", "msn",
    "utm_source", "utm_medium", "utm_term", "utm_content", "utm_referrer", "roistat", "yclid", "gclid",
)  # fmt: skip

VOCABULARIES = (
    Vocabulary(
        "amoCRM",
        "deals",
        {
            "external_id": ("id",),
            "name": ("название сделки", "lead title", "lead name", "deal name"),
            "amount": ("бюджет", "budget", "sale", "sale value", "бюджет сделки"),
            "owner": ("ответственный", "responsible", "responsible user"),
            "created_at": ("дата создания сделки", "дата создания", "created at", "date created"),
            "closed_at": ("дата закрытия", "closed at", "date closed"),
            "stage_outcome": ("этап сделки", "lead stage", "pipeline stage", "stage"),
            "pipeline": ("воронка", "pipeline", "lead pipeline"),
            "company": ("компания", "компания контакта", "company", "contact's company"),
            "contact_name": ("полное имя контакта", "основной контакт", "contact name", "main contact", "full name"),
            "contact_email": _EMAILS,
            "contact_phone": _PHONES,
            "source": ("источник", "source", "utm_source"),
            "campaign": ("utm_campaign",),
            "lost_reason": ("причина отказа", "loss reason"),
        },
        values={
            "stage": {
                "успешно реализовано": "", "closed - won": "", "закрыто и не реализовано": "", "closed - lost": "",
            },
            "outcome": {
                "успешно реализовано": "won", "closed - won": "won", "закрыто и не реализовано": "lost",
                "closed - lost": "lost", "*": "open",
            },
            "closed_at": {"не закрыта": "", "not closed": ""},
        },
        telling=_TELLING,
    ),
    Vocabulary(
        "amoCRM",
        "contacts",
        {
            "external_id": ("id",),
            "name": ("наименование", "полное имя", "полное имя контакта", "full name", "contact name"),
            "first_name": ("имя", "first name"),
            "last_name": ("фамилия", "last name"),
            "company": ("компания", "компания контакта", "company"),
            "email": _EMAILS,
            "phone": _PHONES,
            "position": ("должность", "position"),
            "owner": ("ответственный", "responsible", "responsible user"),
        },
        telling=(*_TELLING, "тип", "кем создан", "дата создания контакта"),
    ),
)  # fmt: skip
