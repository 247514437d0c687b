"""What a person may choose of the interface's looks."""

from django import forms
from django.conf import settings

from crm.models import User


class ThemeForm(forms.Form):
    """Light, dark, or as the device says."""

    theme = forms.ChoiceField(choices=User.Theme.choices)


class LanguageForm(forms.Form):
    """One of the languages the interface speaks."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
