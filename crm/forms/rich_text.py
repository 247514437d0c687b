"""A text with shape: written in an editor where there is script, in a plain field where there is none."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from crm.rules import mail_html
from crm.rules.merge_fields import all_fields


def merge_places() -> list[tuple[str, str]]:
    """Return each merge field's name for people, and what stands for it in a text."""
    return [(str(field.label), f"{{{{ {key} }}}}") for key, field in all_fields().items()]


class RichTextInput(forms.Textarea):
    """The plain field that static/js/editor.js turns into an editor."""

    def __init__(self, **options: Any) -> None:
        super().__init__(attrs={"data-editor": True, "rows": 12, **options.pop("attrs", {})}, **options)


class RichTextField(forms.CharField):
    """Cleans into HTML that may stand in a mail; what was typed without tags keeps its lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"label": _("Text"), "widget": RichTextInput(), "strip": True, **options})

    def clean(self, value: Any) -> str:
        """Return cleaned HTML; an editor's empty paragraph is no text."""
        text: str = super().clean(value)
        html = mail_html.clean(text if "<" in text else with_tags(text))
        if not mail_html.plain(html) and "<img" not in html:
            return str(super().clean(""))
        return html


def with_tags(text: str) -> str:
    """Return plain text as HTML: an empty line begins a paragraph."""
    blocks = [block.strip() for block in text.replace("\r\n", "\n").split("\n\n")]
    return "".join(f"<p>{escape(block).replace(chr(10), '<br>')}</p>" for block in blocks if block)
