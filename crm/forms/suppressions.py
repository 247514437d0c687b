"""Addresses that get no mail: entered, or brought in as a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MOST_BYTES = 5 * 1024 * 1024


class SuppressionForm(forms.Form):
    """One address, and why."""

    address = forms.EmailField(label=_("Address"), max_length=320)
    detail = forms.CharField(label=_("Why"), max_length=500, required=False)


class SuppressionFileForm(forms.Form):
    """A file with addresses: of any table of which one column holds them, or one a line."""

    file = forms.FileField(
        label=_("File"), help_text=_("CSV or plain text; every address in it is taken, whatever stands around it.")
    )

    def clean_file(self) -> str:
        """Read the file as text, in whatever encoding a spreadsheet wrote it."""
        upload: Any = self.cleaned_data["file"]
        if upload.size > MOST_BYTES:
            raise ValidationError(_("The file is larger than 5 MB. Divide it into several."), code="too_large")
        content = upload.read()
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return str(content.decode("utf-16", "replace"))
        return str(content.decode("utf-8", "replace"))
