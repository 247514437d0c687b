"""What e-mails may say of the deal they are about."""

from __future__ import annotations

from collections.abc import Callable

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from crm.rules.merge_fields import Merge, MergeField, register
from pipeline.models import Deal


def _of_deal(read: Callable[[Deal, str], str]) -> Callable[[Merge], str]:
    """Read from the deal that is written about; nothing where it is another record."""

    def value(merge: Merge) -> str:
        return read(merge.subject, merge.language) if isinstance(merge.subject, Deal) else ""

    return value


def _amount(deal: Deal, language: str) -> str:
    if deal.amount is None:
        return ""
    locale = Locale(language)
    pattern = locale.currency_formats["standard"].pattern
    if deal.amount == int(deal.amount):
        pattern = pattern.replace(".00", "")
    return str(format_currency(deal.amount, deal.currency, format=pattern, locale=locale, currency_digits=False))


def _close_on(deal: Deal, language: str) -> str:
    return str(format_date(deal.expected_close_on, "long", locale=language)) if deal.expected_close_on else ""


def _stage(deal: Deal, language: str) -> str:
    with override(language):
        return str(deal.stage)


register(
    MergeField("deal.name", _("Deal"), _of_deal(lambda deal, _language: deal.name)),
    MergeField("deal.amount", _("Amount of the deal"), _of_deal(_amount)),
    MergeField("deal.stage", _("Stage of the deal"), _of_deal(_stage)),
    MergeField("deal.expected_close", _("Expected close of the deal"), _of_deal(_close_on)),
    MergeField("deal.owner", _("Owner of the deal"), _of_deal(lambda deal, _language: deal.owner.name)),
)
