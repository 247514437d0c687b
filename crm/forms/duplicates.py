"""Noticing at entry that a lead, contact or company may be there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import NEW
from crm.models import Company, Strength, User
from crm.rules.duplicates import Suspect, suspects

TELLING = ("name", "email", "phone", "company", "company_name", "domain")
"""What is asked of a form that is being filled in."""

ALSO = {"lead": ("lead", "contact"), "contact": ("contact", "lead"), "company": ("company",)}
"""Among which kinds the same person or organisation is looked for."""

MOST = 3


def look_alikes(kind: str, said: Mapping[str, Any], *, user: User, own_id: int | None = None) -> list[Suspect]:
    """Return whom the form may mean, among what `user` may see: the surest few of each kind that is looked among."""
    asked = {
        "name": said.get("name") or "",
        "email": said.get("email") or "",
        "phone": said.get("phone") or "",
        "company": str(said.get("company_name") or said.get("company") or ""),
        "domain": said.get("domain") or "",
    }
    found: list[Suspect] = []
    for other in ALSO[kind]:
        exclude = [own_id] if own_id is not None and other == kind else []
        found += suspects(other, **asked, seen_by=user, exclude=exclude)[:MOST]
    return sorted(found, key=lambda suspect: -suspect.strength)


def company_said(value: str, user: User) -> str:
    """The name of the company that a chooser sends: a new name, or the id of one that the person sees."""
    if value.startswith(NEW):
        return value.removeprefix(NEW)
    if not value.isdecimal():
        return ""
    return str(Company.objects.visible_to(user).filter(pk=value[:18]).first() or "")


def names_of(found: Sequence[Suspect]) -> str:
    """Which records a person was shown, as the form sends it back."""
    return ",".join(f"{suspect.record._meta.model_name}-{suspect.record.pk}" for suspect in found)


def render_notice(found: Sequence[Suspect]) -> SafeString:
    """The notice with its links, and the hidden field that says what was shown."""
    return render_to_string("crm/_duplicates.html", {"suspects": found, "shown": names_of(found)})


class DuplicatesWidget(forms.HiddenInput):
    """The place of the notice: it asks again whenever something telling was typed."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.own_id: int | None = None
        self.found: Sequence[Suspect] = ()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002 (Django's signature)
        """Draw the notice for what is known now."""
        address = reverse("duplicate_notice", args=[self.kind])
        context = {
            "address": f"{address}?own={self.own_id}" if self.own_id else address,
            "telling": ",".join(TELLING),
            "notice": render_notice(self.found),
        }
        return render_to_string("crm/_duplicates_place.html", context)


class DuplicatesField(forms.CharField):
    """Which look-alikes the person has been shown; it is no fact of the record, so it never counts as changed."""

    def __init__(self, kind: str) -> None:
        super().__init__(required=False, widget=DuplicatesWidget(kind))

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ARG002 (Django's signature)
        """What was shown changes nothing."""
        return False


class NoticesDuplicates(forms.BaseForm):
    """A form that asks once before it adds what may be there already; whoever was shown it is not asked again."""

    duplicates_of = ""

    def watch(self, user: User, own_id: int | None) -> None:
        """Look for the same among what `user` may see, but for the record itself."""
        self.duplicates_user = user
        self.fields["duplicates_seen"] = DuplicatesField(self.duplicates_of)
        self.duplicates_widget.own_id = own_id

    @property
    def duplicates_widget(self) -> DuplicatesWidget:
        """The place of the notice."""
        widget: Any = self.fields["duplicates_seen"].widget
        return widget

    def ask_about_duplicates(self) -> None:
        """Refuse once, with the notice, where something telling was written that somebody else says already."""
        seen = set(self.cleaned_data.pop("duplicates_seen", "").split(","))
        changed = [name for name in self.changed_data if name in TELLING]
        if self.errors or not changed:
            return
        own_id = self.duplicates_widget.own_id
        found = look_alikes(self.duplicates_of, self.cleaned_data, user=self.duplicates_user, own_id=own_id)
        unseen = {names_of([suspect]) for suspect in found if suspect.strength > Strength.POSSIBLE} - seen
        if unseen:
            self.duplicates_widget.found = found
            self.add_error(None, _("This may be here already: see below. If it is not the same, save again."))
