"""Pipedrive: its export and its import template, one table for deals with their people and organisations."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_TELLING = (
    "deal - visible to",
    "deal - label",
    "organization - address",
    "organization - visible to",
    "person - label",
)
_COMPANY = ("organization - name", "organization", "person - organization", "организация - название", "организация")
_EMAIL = (
    "person - email", "person - email (work)", "person - email (home)", "person - email - work",
    "person - email - home", "контактное лицо - эл. почта",
)  # fmt: skip
_PHONE = (
    "person - phone", "person - phone (work)", "person - phone (mobile)", "person - phone (home)",
    "person - phone - work", "person - phone - mobile", "контактное лицо - телефон",
)  # fmt: skip

VOCABULARIES = (
    Vocabulary(
        "Pipedrive",
        "deals",
        {
            "name": ("deal - title", "deal title", "title", "сделка - название"),
            "external_id": ("deal - pipedrive system id", "deal - id", "deal - system id", "сделка - id"),
            "owner": ("deal - owner", "сделка - владелец"),
            "pipeline": ("deal - pipeline", "сделка - воронка"),
            "stage": ("deal - stage", "deal - stage (pipeline)", "сделка - этап"),
            "amount": ("deal - value", "сделка - сумма", "сделка - стоимость"),
            "currency": ("deal - currency", "deal - currency of value", "сделка - валюта"),
            "source": ("deal - source channel", "deal - source", "deal - lead source"),
            "expected_close_on": ("deal - expected close date", "сделка - ожидаемая дата закрытия"),
            "outcome": ("deal - status", "сделка - статус"),
            "lost_reason": ("deal - lost reason", "сделка - причина проигрыша"),
            "closed_at": ("deal - closed on", "deal - won time", "deal - lost time", "deal - deal closed on"),
            "created_at": ("deal - deal created", "deal - created", "deal - add time", "сделка - создана"),
            "company": _COMPANY,
            "contact_name": ("person - name", "contact person", "deal - contact person", "контактное лицо - имя"),
            "contact_email": _EMAIL,
            "contact_phone": _PHONE,
        },
        values={"outcome": {"открыта": "open", "выиграна": "won", "проиграна": "lost"}},
        telling=("deal - probability", *_TELLING),
    ),
    Vocabulary(
        "Pipedrive",
        "contacts",
        {
            "external_id": ("person - id", "person - pipedrive system id"),
            "name": ("person - name", "контактное лицо - имя"),
            "first_name": ("person - first name",),
            "last_name": ("person - last name",),
            "email": _EMAIL,
            "phone": _PHONE,
            "company": _COMPANY,
            "position": ("person - job title", "контактное лицо - должность"),
            "owner": ("person - owner",),
        },
        telling=("person - label", "person - visible to"),
    ),
    Vocabulary(
        "Pipedrive",
        "companies",
        {
            "external_id": ("organization - id", "organization - pipedrive system id"),
            "name": ("organization - name", "организация - название"),
            "country": ("organization - country of address",),
            "domain": ("organization - website",),
            "industry": ("organization - industry",),
            "employees": ("organization - employee count",),
            "owner": ("organization - owner",),
        },
        telling=("organization - label", "organization - address", "organization - visible to"),
    ),
    Vocabulary(
        "Pipedrive",
        "leads",
        {
            "name": ("person - name",),
            "title_name": ("lead - title",),
            "external_id": ("lead - id",),
            "owner": ("lead - owner",),
            "source": ("lead - source", "lead - source channel", "lead - source origin"),
            "created_at": ("lead - lead created", "lead - created"),
            "company": _COMPANY,
            "email": _EMAIL,
            "phone": _PHONE,
        },
        telling=("lead - label", "lead - value", "lead - expected close date", "lead - status"),
    ),
)
