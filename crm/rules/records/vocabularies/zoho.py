"""Zoho CRM: exports and backups of its modules."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_NAMES = {"first_name": ("first name", "имя"), "last_name": ("last name", "фамилия")}

VOCABULARIES = (
    Vocabulary(
        "Zoho",
        "leads",
        {
            **_NAMES,
            "external_id": ("leadid", "record id", "lead id"),
            "name": ("lead name", "full name"),
            "company": ("company", "компания"),
            "email": ("email", "secondary email", "эл. почта"),
            "phone": ("phone", "mobile", "телефон", "мобильный"),
            "source": ("lead source", "источник лида"),
            "status": ("lead status", "статус лида"),
            "message": ("description", "описание"),
            "owner": ("lead owner", "ответственный за лид"),
            "created_at": ("created time", "время создания"),
        },
        values={
            "status": {
                "not contacted": "new", "attempted to contact": "working", "contacted": "working",
                "contact in future": "nurturing", "pre qualified": "qualified", "pre-qualified": "qualified",
                "junk lead": "disqualified", "lost lead": "disqualified", "not qualified": "disqualified",
            },
        },
        telling=("lead owner id", "converted", "website", "industry", "annual revenue", "rating"),
    ),
    Vocabulary(
        "Zoho",
        "contacts",
        {
            **_NAMES,
            "external_id": ("contactid", "record id", "contact id"),
            "name": ("contact name", "full name"),
            "email": ("email", "secondary email", "эл. почта"),
            "phone": ("phone", "mobile", "телефон", "мобильный"),
            "company": ("account name",),
            "company_id": ("account id",),
            "position": ("title", "должность"),
            "owner": ("contact owner",),
        },
        telling=("contact owner id", "lead source", "created time", "vendor name"),
    ),
    Vocabulary(
        "Zoho",
        "companies",
        {
            "external_id": ("accountid", "record id", "account id"),
            "name": ("account name",),
            "domain": ("website", "веб-сайт"),
            "industry": ("industry", "отрасль"),
            "country": ("billing country",),
            "employees": ("employees",),
            "owner": ("account owner",),
        },
        telling=("account owner id", "account type", "tasks involved", "events involved", "calls involved"),
    ),
    Vocabulary(
        "Zoho",
        "deals",
        {
            "external_id": ("dealid", "potentialid", "record id"),
            "name": ("deal name", "potential name"),
            "company": ("account name",),
            "contact_name": ("contact name",),
            "campaign": ("campaign source",),
            "stage_outcome": ("stage",),
            "pipeline": ("pipeline",),
            "amount": ("amount",),
            "currency": ("currency",),
            "owner": ("deal owner", "potential owner"),
            "source": ("lead source",),
            "created_at": ("created time",),
            "closed_at": ("closing date",),
            "lost_reason": ("reason for loss",),
        },
        values={
            "stage": {"closed won": "", "closed lost": "", "closed lost to competition": ""},
            "outcome": {
                "closed won": "won", "closed lost": "lost", "closed lost to competition": "lost", "*": "open",
            },
        },
        telling=("deal owner id", "probability (%)", "probability", "expected revenue", "next step"),
    ),
)  # fmt: skip
