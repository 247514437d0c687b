"""Companies and contacts as a person edits them."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.forms.duplicates import NoticesDuplicates
from crm.forms.inputs import ChooserField, SeenForm
from crm.models import Company, Contact, User


class _RecordForm(NoticesDuplicates, SeenForm):
    """What companies and contacts share: an owner, and that the rule writes only what was changed."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, required=False)

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["version"].initial = self.instance.version
        owners = User.objects.filter(
            Q(pk__in=User.objects.assignable_by(by).values("pk")) | Q(pk=self.instance.owner_id)
        )
        self.fields["owner"].queryset = owners  # type: ignore[attr-defined]
        if self.instance.pk is None:
            self.fields["owner"].initial = by.pk
        self.watch(by, self.instance.pk)

    def clean(self) -> dict[str, Any]:
        """Ask once where the record may be there already."""
        super().clean()
        self.ask_about_duplicates()
        return self.cleaned_data

    def said(self) -> dict[str, Any]:
        """What the rule is given: of a record that exists already only the changed fields."""
        names = self.cleaned_data if self.instance.pk is None else self.changed_data
        return {name: self.cleaned_data[name] for name in names if name != "version"}

    def seen_again(self, version: int) -> None:
        """Let the same form be sent anew over the state of `version`, which the person has now seen."""
        sent = cast("QueryDict", self.data).copy()
        sent["version"] = str(version)
        self.data = sent


class CompanyForm(_RecordForm):
    """The facts of a company."""

    duplicates_of = "company"

    class Meta:
        model = Company
        fields = ("name", "domain", "industry", "country", "employees", "owner")


class ContactForm(_RecordForm):
    """The facts of a person."""

    duplicates_of = "contact"

    company = ChooserField(None, address="choose_companies", adds=True, required=False, label=_("Company"))

    class Meta:
        model = Contact
        fields = ("name", "position", "company", "email", "phone", "owner")

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        visible = Company.objects.visible_to(by)
        self.fields["company"].queryset = Company.objects.filter(  # type: ignore[attr-defined]
            Q(pk__in=visible.values("pk")) | Q(pk=self.instance.company_id)
        )
