"""Bitrix24: CSV exports of leads, deals, contacts and companies in Russian and English."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_UTM = ("utm source", "utm medium", "utm content", "utm term")
_CAMPAIGN = ("utm campaign",)
_PHONES = (
    "рабочий телефон", "мобильный телефон", "домашний телефон", "другой телефон", "work phone", "mobile", "home phone",
    "other phone number",
)  # fmt: skip
_EMAILS = (
    "рабочий e-mail", "частный e-mail", "другой e-mail", "work e-mail", "home e-mail", "other e-mail",
)  # fmt: skip
_NAMES = {
    "first_name": ("имя", "first name"),
    "middle_name": ("отчество", "second name", "middle name"),
    "last_name": ("фамилия", "last name"),
}
_OWNER = ("ответственный", "responsible", "responsible person")
_WON = {"сделка успешна": "", "успешная сделка": "", "deal won": "", "сделка проиграна": "", "сделка провалена": "",
        "deal lost": "", "анализ причины провала": "", "analyze failure": ""}  # fmt: skip
_OUTCOMES = {
    "сделка успешна": "won", "успешная сделка": "won", "deal won": "won", "сделка проиграна": "lost",
    "сделка провалена": "lost", "deal lost": "lost", "анализ причины провала": "lost", "analyze failure": "lost",
    "*": "open",
}  # fmt: skip

VOCABULARIES = (
    Vocabulary(
        "Bitrix24",
        "leads",
        {
            **_NAMES,
            "external_id": ("id",),
            "title_name": ("название лида", "lead name", "lead title"),
            "company": ("название компании", "компания", "company name", "company"),
            "email": _EMAILS,
            "phone": _PHONES,
            "source": ("источник", "source", "utm source"),
            "campaign": _CAMPAIGN,
            "status": ("статус", "status", "стадия", "stage"),
            "message": ("комментарий", "comment"),
            "owner": _OWNER,
            "created_at": ("дата создания", "created on", "created"),
        },
        values={
            "status": {
                "не обработан": "new", "новый": "new", "unassigned": "new", "new": "new",
                "в работе": "working", "в обработке": "working", "обработан": "working", "in progress": "working",
                "processed": "working", "качественный лид": "converted", "good lead": "converted",
                "high-quality lead": "converted", "некачественный лид": "disqualified", "junk lead": "disqualified",
                "low-quality lead": "disqualified",
            },
        },
        telling=("сумма", *_UTM),
    ),
    Vocabulary(
        "Bitrix24",
        "deals",
        {
            "external_id": ("id",),
            "name": ("название сделки", "deal name", "название"),
            "pipeline": ("направление", "воронка", "pipeline", "deal pipeline"),
            "stage_outcome": ("стадия сделки", "deal stage", "стадия", "stage"),
            "amount": ("сумма", "amount", "total", "сумма сделки"),
            "currency": ("валюта", "currency"),
            "company": ("компания", "company", "компания: название компании"),
            "contact_name": ("контакт", "contact"),
            "contact_phone": (
                "контакт: рабочий телефон", "контакт: мобильный телефон", "контакт: другой телефон",
                "contact: work phone", "contact: mobile", "contact: other phone number",
            ),
            "contact_email": (
                "контакт: рабочий e-mail", "контакт: частный e-mail", "контакт: другой e-mail", "contact: work e-mail",
                "contact: home e-mail", "contact: other e-mail",
            ),
            "source": ("источник", "source", "utm source"),
            "campaign": _CAMPAIGN,
            "owner": _OWNER,
            "created_at": ("дата создания", "created on", "created"),
            "closed_at": ("дата завершения", "предполагаемая дата закрытия", "end date"),
        },
        values={"stage": _WON, "outcome": _OUTCOMES, "pipeline": {"общее": "", "общая": "", "general": ""}},
        telling=_UTM,
    ),
    Vocabulary(
        "Bitrix24",
        "contacts",
        {
            **_NAMES,
            "external_id": ("id",),
            "email": _EMAILS,
            "phone": _PHONES,
            "company": ("компания", "company"),
            "position": ("должность", "position"),
            "owner": _OWNER,
        },
        telling=("обращение", "тип контакта", "фото", "дата рождения", "salutation", "contact type"),
    ),
    Vocabulary(
        "Bitrix24",
        "companies",
        {
            "external_id": ("id",),
            "name": ("название компании", "company name"),
            "domain": ("корпоративный сайт", "сайт", "corporate website", "website"),
            "industry": ("сфера деятельности", "industry"),
            "employees": ("кол-во сотрудников", "количество сотрудников", "employees"),
            "owner": _OWNER,
        },
        telling=("тип компании", "годовой оборот", "логотип", "company type", "annual revenue", *_PHONES[:2]),
    ),
)  # fmt: skip
