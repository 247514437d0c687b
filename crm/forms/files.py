"""A field that takes several files, each looked into before it is taken."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from crm.rules.attached_files import MOST_BYTES, File, read_file
from crm.rules.errors import RuleError


class FilesInput(forms.FileInput):
    """The browser's own chooser, for several at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Cleans into a list of `File`; a program, or a file that is not what its name says, is refused by name."""

    def __init__(self, **options: Any) -> None:
        options = {"label": _("Files"), "required": False, "help_text": _("Together at most 10 MB."), **options}
        super().__init__(widget=FilesInput(), **options)

    def clean(self, data: Any, initial: Any = None) -> list[File]:  # noqa: ARG002 (Django's signature)
        """Read every file that was handed over."""
        uploads: list[UploadedFile] = [upload for upload in data or [] if upload] if isinstance(data, list) else []
        if sum(upload.size or 0 for upload in uploads) > MOST_BYTES:
            raise ValidationError(_("The files are larger than 10 MB together. Leave one out, or send a link."))
        try:
            return [read_file(upload.name or "", upload.read()) for upload in uploads]
        except RuleError as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal
