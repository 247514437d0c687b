"""What makes two spellings of a name, an address or a number one: keys that PostgreSQL keeps.

Every key is a generated column, so it is right whatever wrote the row: a form, a bulk import, raw SQL. The functions
that compute them stand in `crm/migrations/0008_key_functions.py`; a look-up calls the same ones with what was typed.
A phone's key is only its last seven digits (all that SQL can know of a number); `crm.models.phones` says whether two
numbers that share it are one number.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Expression, F, Func
from django.db.models.functions import Lower, Trim

KEYS = ("name_key", "email_key", "phone_key", "company_key", "domain_key")
"""The columns; they follow from others, so the audit log leaves them out."""

_FREE_MAIL = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com aol.com gmx.com gmx.de
gmx.net web.de proton.me protonmail.com zoho.com mail.com mail.ru inbox.ru list.ru bk.ru yandex.ru yandex.com ya.ru
rambler.ru internet.ru qq.com 163.com seznam.cz wp.pl o2.pl orange.fr free.fr libero.it
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Domains where anybody gets an address: they are no key to whom somebody works for."""


class KeyFunction(Func):
    """A function of one text that computes a key."""

    output_field = models.TextField()


class PersonKey(KeyFunction):
    """A person's name in one spelling, its words in order: «Иванов Сергей» and “Sergey Ivanov” are one."""

    function = "crm_person_key"


class CompanyKey(KeyFunction):
    """An organisation's name in one spelling, without its legal form."""

    function = "crm_company_key"


class PhoneKey(KeyFunction):
    """The last digits of a phone number, without its extension."""

    function = "crm_phone_key"


class DomainKey(KeyFunction):
    """A site's domain without protocol, www and path."""

    function = "crm_domain_key"


def folded_address(address: str) -> str:
    """Return an address as the `email_key` of a record holds it, and as addresses are compared everywhere."""
    return address.strip().lower()


def email_key(field: str) -> Expression:
    """An e-mail address without case and blanks; what follows a plus stays: it may be another mailbox."""
    return Lower(Trim(F(field)))


def key_column(expression: Expression) -> models.GeneratedField:
    """A stored column with a key."""
    return models.GeneratedField(expression=expression, output_field=models.TextField(), db_persist=True)


def key_index(model: str, column: str) -> models.Index:
    """The index that finds records by a key; rows in the bin, and without the value, are not in it."""
    is_findable = models.Q(deleted_at__isnull=True, **{f"{column}__gt": ""})
    return models.Index(fields=(column,), name=f"crm_{model}_{column}", condition=is_findable)
