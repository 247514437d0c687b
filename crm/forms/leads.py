"""What a person says of a lead, and what they decide about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.forms.duplicates import NoticesDuplicates
from crm.forms.inputs import DayInput
from crm.models import Campaign, DisqualifyReason, Lead, LeadSource, Team, User


class SeenForm(forms.Form):
    """A form about a record as the person saw it: `version` decides whether somebody was quicker."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def renew(self, version: int) -> None:
        """Stand for the record as it is now: sent again, the form applies to `version`."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("version")] = str(version)  # type: ignore[index]  # a QueryDict, of which it is a copy


class LeadForm(NoticesDuplicates, forms.ModelForm):
    """The facts of a lead; a new one also says whose it is."""

    duplicates_of = "lead"

    class Meta:
        model = Lead
        fields = ("name", "company_name", "email", "phone", "source", "campaign", "owner", "team", "message")
        widgets = {"message": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["name"].widget.attrs["autofocus"] = True
        fields["source"].queryset = LeadSource.objects.filter(Q(is_archived=False) | Q(pk=self.instance.source_id or 0))
        fields["team"].queryset = _teams_of(user)
        fields["team"].help_text = _("While nobody owns the lead, the people of this team see it.")
        if not fields["team"].queryset.exists():
            del fields["team"]
        if self.instance.pk:
            del fields["owner"]
        else:
            fields["owner"].queryset = User.objects.assignable_by(user)
            fields["owner"].empty_label = _("Nobody yet")
            self.initial.setdefault("owner", user.pk)
        self.watch(user, self.instance.pk)

    def clean(self) -> dict[str, Any]:
        """A campaign runs within a source."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        campaign: Campaign | None = cleaned.get("campaign")
        if campaign is not None and not cleaned.get("source"):
            cleaned["source"] = campaign.source
        elif campaign is not None and campaign.source_id != cleaned["source"].pk:
            message = _("“%(campaign)s” belongs to the source “%(source)s”.")
            self.add_error(
                "campaign", forms.ValidationError(message, params={"campaign": campaign, "source": campaign.source})
            )
        self.ask_about_duplicates()
        return cleaned

    def _post_clean(self) -> None:
        """The rule writes the lead; the form leaves the instance as it was."""


class LeadEditForm(SeenForm, LeadForm):
    """The facts of a lead as the person saw it."""

    def show_fresh(self, lead: Lead) -> None:
        """Keep what was typed, and say beside each field that differs what stands there now."""
        self.renew(lead.version)
        for name in self.changed_data:
            if name in self.cleaned_data:
                self.add_error(name, _("Now: %(value)s") % {"value": getattr(lead, name) or "—"})


class LeadAssignForm(SeenForm):
    """Whose the lead is to be."""

    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), required=False, empty_label=_("Nobody yet"))

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["owner"].queryset = User.objects.assignable_by(user)  # type: ignore[attr-defined]


class LeadDisqualifyForm(SeenForm):
    """Why the lead is no customer."""

    reason = forms.ModelChoiceField(
        DisqualifyReason.objects.filter(is_archived=False), label=_("Reason"), empty_label=_("Choose a reason")
    )


class LeadNurtureForm(SeenForm):
    """When the lead comes back."""

    until = forms.DateField(label=_("Comes back on"), widget=DayInput(attrs={"autofocus": True}))


def _teams_of(user: User) -> Any:
    """The teams whose unassigned leads the person sees: admins all, others their own and those they lead."""
    if user.is_admin:
        return Team.objects.all()
    return Team.objects.filter(Q(pk=user.team_id or 0) | Q(leaders=user)).distinct()
