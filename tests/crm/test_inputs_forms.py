"""Sums as people write them, and choosers over more rows than can be listed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms
from django.utils import translation

from crm.forms import inputs
from crm.models import Company, User
from tests.factories import CompanyFactory


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [
        ("en", "73,500", "73500"),
        ("en", "1,054.50", "1054.50"),
        ("en", "73500", "73500"),
        ("en", "12,5", "12.5"),
        ("ru", "73 500,50", "73500.50"),
        ("ru", "73\u00a0500", "73500"),
        ("ru", "73,5", "73.5"),
        ("ru", "1054.5", "1054.5"),
    ],
)
def test_amounts_are_read_as_people_write_them(language: str, typed: str, meant: str) -> None:
    with translation.override(language):
        assert inputs.AmountField().clean(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", ["12,5,0", "1.2.3", "много", "1e999", "NaN", "73,500,00"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(forms.ValidationError):
        inputs.AmountField().clean(typed)


def test_amounts_are_shown_without_needless_cents() -> None:
    field = inputs.AmountField()

    shown = [field.prepare_value(value) for value in (Decimal("73500.00"), Decimal("12.50"), None, "12,5,0")]

    assert shown == ["73500", "12.50", None, "12,5,0"]


class ChoosingForm(forms.Form):
    company = inputs.ChooserField(Company.objects.all(), address="choose_companies", adds=True, required=False)


@pytest.mark.django_db
def test_chooser_offers_a_few_and_always_what_is_chosen(monkeypatch: pytest.MonkeyPatch, rep: User) -> None:
    monkeypatch.setattr(inputs, "OFFERED", 2)
    first, second, last = (CompanyFactory(name=name) for name in ("A", "B", "Z"))

    empty = str(ChoosingForm()["company"])
    chosen = str(ChoosingForm({"company": last.pk})["company"])
    named = str(ChoosingForm({"company": "new:Ёлка <b>"})["company"])

    assert [f'value="{company.pk}"' in empty for company in (first, second, last)] == [True, True, False]
    assert f'value="{last.pk}" selected' in chosen
    assert '"new:Ёлка &lt;b&gt;" selected>Ёлка &lt;b&gt;' in named


@pytest.mark.django_db
def test_chooser_takes_a_row_or_a_new_name() -> None:
    company = CompanyFactory(name="A")

    def cleaned(value: object) -> Company | None:
        form = ChoosingForm({"company": value})
        assert form.is_valid(), form.errors
        return form.cleaned_data["company"]

    assert cleaned(company.pk) == company
    assert cleaned("") is None
    assert cleaned("new: ") is None
    named = cleaned(f"new:{company.pk}")
    assert named is not None
    assert (named.pk, named.name) == (None, str(company.pk))
    assert not ChoosingForm({"company": "999999"}).is_valid()
