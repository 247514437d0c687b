"""What a person says of a segment beside its conditions."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Segment


class SegmentForm(forms.ModelForm):
    """Its name and who may use it; the rule writes them."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = Segment
        fields = ("name", "shared_with")
        labels = {"name": _("Name")}


class SegmentShareForm(forms.ModelForm):
    """Who may use it."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = Segment
        fields = ("shared_with",)
        widgets = {"shared_with": forms.RadioSelect}
