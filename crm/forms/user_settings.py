"""A person's own settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import PlainSelect
from crm.forms.rich_text import RichTextField
from crm.models import User
from crm.rules.notice_kinds import Channels, Mail, NoticeKind, all_channels_of, all_kinds
from crm.rules.user_settings import OWN


class ClockInput(forms.TimeInput):
    """The browser's own picker of a time of day."""

    input_type = "time"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", **options)


class ChannelsForm(forms.Form):
    """Each kind of notice: in the page or not, and when by e-mail."""

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self._before = all_channels_of(person)
        for key, kind in all_kinds().items():
            choices = [choice for choice in Mail.choices if not (kind.is_daily and choice[0] == Mail.AT_ONCE)]
            by_mail = forms.ChoiceField(label=_("By e-mail"), choices=choices, initial=self._before[key].by_mail)
            by_mail.widget.attrs |= {"class": "form-select", "aria-label": f"{kind.label}: {by_mail.label}"}
            self.fields[f"{key}-mail"] = by_mail
            if kind.is_daily:
                continue
            in_page = forms.BooleanField(label=_("In the page"), required=False, initial=self._before[key].in_page)
            in_page.widget.attrs |= {"class": "form-check-input", "aria-label": f"{kind.label}: {in_page.label}"}
            self.fields[f"{key}-page"] = in_page

    def rows(self) -> Iterator[tuple[NoticeKind, forms.BoundField | None, forms.BoundField]]:
        """Each kind with its fields; what only the digest tells of has none for the page."""
        for key, kind in all_kinds().items():
            yield kind, None if kind.is_daily else self[f"{key}-page"], self[f"{key}-mail"]

    def said(self) -> dict[str, Channels]:
        """What the rule is given: what differs from before."""
        said = self.cleaned_data
        chosen = {key: Channels(said.get(f"{key}-page", False), said[f"{key}-mail"]) for key in all_kinds()}
        return {key: channels for key, channels in chosen.items() if channels != self._before[key]}


class UserSettingsForm(forms.ModelForm):
    """Name, language, time zone, theme, the hour of the daily digest and quiet hours."""

    signature = RichTextField(
        label=_("Signature"),
        required=False,
        max_length=10_000,
        help_text=_("It stands under the e-mails that you write."),
    )

    class Meta:
        model = User
        fields = OWN
        widgets = {
            "digest_at": ClockInput(),
            "quiet_from": ClockInput(),
            "quiet_until": ClockInput(),
            "time_zone": PlainSelect(attrs={"data-chooser": True}),
        }

    def clean(self) -> dict[str, Any]:
        """Quiet hours have a beginning and an end, and the two differ."""
        cleaned: dict[str, Any] = super().clean() or {}
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begin is None) != (end is None):
            missing = "quiet_from" if begin is None else "quiet_until"
            self.add_error(missing, ValidationError(_("Give both the beginning and the end, or neither."), code="half"))
        elif begin is not None and begin == end:
            self.add_error("quiet_until", ValidationError(_("The end is the beginning: choose another."), code="empty"))
        return cleaned

    def said(self) -> dict[str, Any]:
        """What the rule is given: what was changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}
