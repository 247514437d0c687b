"""Our own columns, as our templates, exports and reports head them, in English and Russian."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_OWNER = ("owner", "owner e-mail", "responsible", "ответственный", "владелец", "менеджер")
_SOURCE = ("source", "lead source", "источник", "источник лида", "канал")
_CAMPAIGN = ("campaign", "кампания", "рекламная кампания", "utm_campaign")
_CREATED = ("created_at", "created", "create date", "date created", "created on", "создан", "создана", "дата создания")
_COMPANY = ("company", "company name", "organization", "organisation", "account", "компания", "организация", "фирма")
_PHONE = (
    "phone",
    "phone number",
    "mobile",
    "mobile phone",
    "telephone",
    "телефон",
    "мобильный",
    "моб. телефон",
    "тел.",
)
_EMAIL = ("email", "e-mail", "email address", "e-mail address", "почта", "эл. почта", "электронная почта", "имейл")
_NAMES = {
    "first_name": ("first name", "given name", "имя"),
    "middle_name": ("middle name", "patronymic", "отчество"),
    "last_name": ("last name", "family name", "surname", "фамилия"),
}
_ID = ("external_id", "id", "record id", "ид", "внешний код", "внешний идентификатор")
_FULL_NAME = ("name", "full name", "contact name", "фио", "ф.и.о.", "полное имя", "контакт", "контактное лицо")

VOCABULARIES = (
    Vocabulary(
        "Voronka",
        "leads",
        {
            **_NAMES,
            "name": (*_FULL_NAME, "lead", "lead name", "лид"),
            "external_id": _ID,
            "company": _COMPANY,
            "email": _EMAIL,
            "phone": _PHONE,
            "source": _SOURCE,
            "campaign": _CAMPAIGN,
            "status": ("status", "статус", "lead status", "статус лида"),
            "owner": _OWNER,
            "message": ("message", "what they wrote", "wrote", "notes", "сообщение", "что написано", "комментарий"),
            "created_at": (*_CREATED, "came in", "поступил"),
            "first_response_at": ("first_response_at", "first answered", "answered", "первый ответ", "отвечено"),
            "qualified_at": ("qualified_at", "qualified", "квалифицирован"),
            "disqualified_at": ("disqualified_at", "disqualified", "дисквалифицирован"),
            "disqualify_reason": ("disqualify_reason", "reason", "reason for disqualifying", "причина отказа"),
            "nurture_until": ("nurture_until", "comes back on", "вернётся"),
        },
        telling=("score", "response clock"),
    ),
    Vocabulary(
        "Voronka",
        "contacts",
        {
            **_NAMES,
            "name": (*_FULL_NAME, "contact"),
            "external_id": _ID,
            "email": _EMAIL,
            "phone": _PHONE,
            "company": _COMPANY,
            "position": ("position", "job title", "title", "role", "должность"),
            "owner": _OWNER,
        },
    ),
    Vocabulary(
        "Voronka",
        "companies",
        {
            "name": ("name", *_COMPANY, "название", "название компании", "наименование"),
            "external_id": _ID,
            "domain": ("domain", "website", "web site", "site", "url", "website url", "сайт", "домен", "веб-сайт"),
            "industry": ("industry", "sector", "отрасль", "сфера деятельности"),
            "country": ("country", "страна"),
            "employees": ("employees", "number of employees", "headcount", "сотрудников", "количество сотрудников"),
            "owner": _OWNER,
        },
    ),
    Vocabulary(
        "Voronka",
        "deals",
        {
            "name": ("name", "deal", "deal name", "opportunity", "title", "сделка", "название", "название сделки"),
            "external_id": (*_ID, "deal id", "opportunity_id"),
            "company": _COMPANY,
            "contact_name": ("contact_name", "contact", "contact name", "contact’s name", "контакт", "контактное лицо"),
            "contact_phone": ("contact_phone", "contact’s phone", "телефон контакта"),
            "contact_email": ("contact_email", "contact e-mail", "contact’s e-mail", "e-mail контакта"),
            "owner": (*_OWNER, "sales_agent"),
            "pipeline": ("pipeline", "воронка"),
            "stage": ("stage", "deal stage", "этап", "стадия"),
            "amount": ("amount", "value", "sum", "budget", "сумма", "бюджет", "стоимость"),
            "currency": ("currency", "валюта"),
            "source": _SOURCE,
            "campaign": _CAMPAIGN,
            "lead": ("lead", "лид"),
            "created_at": _CREATED,
            "outcome": ("outcome", "result", "итог", "исход"),
            "closed_at": ("closed_at", "closed", "close date", "закрыта", "дата закрытия"),
            "lost_reason": ("lost_reason", "loss reason", "lost reason", "причина проигрыша", "причина отказа"),
            "expected_close_on": ("expected_close_on", "expected close", "ожидаемое закрытие"),
        },
        telling=("probability", "вероятность", "next step"),
    ),
)
