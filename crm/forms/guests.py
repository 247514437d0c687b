"""Who is invited to a meeting, as a person writes it: addresses one under the other, with names or without."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from crm.rules.invitations import Guest
from crm.rules.suppression import suppressed

MOST = 50


class GuestsField(forms.CharField):
    """Addresses divided by commas, semicolons or new lines; cleaned into guests, each address once."""

    widget = forms.Textarea
    default_error_messages = {
        "address": _("“%(text)s” is no e-mail address."),
        "many": _("Invite at most %(most)d people."),
        "suppressed": _("Nothing is sent to %(address)s any more: %(reason)s."),
    }

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 2, "placeholder": "irina@example.com"})
        super().__init__(required=False, max_length=10_000, widget=widget, **options)

    def clean(self, value: Any) -> tuple[Guest, ...]:
        """Return the guests, or say which of the texts is no address."""
        text = super().clean(value)
        found: dict[str, Guest] = {}
        for part in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
            guest = self._guest(part)
            found.setdefault(guest.address, guest)
        if len(found) > MOST:
            raise ValidationError(self.error_messages["many"], "many", {"most": MOST})
        return tuple(found.values())

    def prepare_value(self, value: Any) -> Any:
        """Write the guests as one types them."""
        if isinstance(value, tuple | list):
            return "\n".join(_said(guest) for guest in value)
        return value

    def _guest(self, text: str) -> Guest:
        name, address = parseaddr(text)
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(self.error_messages["address"], "address", {"text": text}) from None
        address = address.lower()
        if refusal := suppressed(address):
            words = {"address": address, "reason": refusal.get_reason_display()}
            raise ValidationError(self.error_messages["suppressed"], "suppressed", words)
        return Guest(address, name)


def _said(guest: Guest) -> str:
    return f"{guest.name} <{guest.address}>" if guest.name else guest.address
