"""The filters of the company, contact and deal lists, as they stand in their addresses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.forms import HiddenInput
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField, DayInput
from crm.models import Company, Contact, LeadSource, Segment, Team, User
from crm.rules.segments import CONTACT, within
from pipeline.models import Deal, Pipeline, Stage

ANY = _("any")


class TextFilter(django_filters.CharFilter):
    """Every word of the text, in any case, ё as е: the queryset's own `matching`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, **options)

    def filter(self, qs: Any, value: str | None) -> Any:
        """Narrow `qs` to what matches."""
        return qs.matching(value) if value else qs


class PlainSelect(forms.Select):
    """A select whose options are written at once; Django renders a template for each, too slow for many people."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        """Write the select."""
        chosen = set(self.format_value(value))
        options = (
            format_html('<option value="{}" selected>{}</option>', key, label)
            if str(key) in chosen
            else format_html('<option value="{}">{}</option>', key, label)
            for key, label in self.choices
        )
        own = self.build_attrs(self.attrs, {"name": name, **(attrs or {})})
        return format_html(
            "<select{}>{}</select>", flatatt(own), format_html_join("", "{}", ((one,) for one in options))
        )


class ChoiceOfRows(django_filters.ModelChoiceFilter):
    """One row of those the reader sees, chosen from a select."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"widget": PlainSelect, "empty_label": ANY, **options})


class SumFilter(django_filters.NumberFilter):
    """A bound of an amount, written as people write it."""

    field_class = AmountField


class DayFilter(django_filters.DateFilter):
    """A bound of a date or, cut at the reader's midnight, of a time; a last day is included."""

    def __init__(self, *, is_moment: bool = False, **options: Any) -> None:
        super().__init__(widget=DayInput(), **options)
        self.is_moment = is_moment

    def filter(self, qs: Any, value: Any) -> Any:
        """Narrow `qs`; of a time, "until a day" means before the next."""
        if value is None or not self.is_moment:
            return super().filter(qs, value)
        if value == dt.date.max:  # no day comes after it
            return qs if self.lookup_expr == "lt" else qs.none()
        day = value + dt.timedelta(days=1) if self.lookup_expr == "lt" else value
        return super().filter(qs, timezone.make_aware(dt.datetime.combine(day, dt.time.min)))


def people_seen(request: HttpRequest) -> Any:
    """People whose records the reader may see."""
    return User.objects.visible_to(request.user)


def teams_seen(request: HttpRequest) -> Any:
    """Teams of the people whose records the reader may see."""
    return Team.objects.filter(Q(members__in=people_seen(request)) | Q(leaders=request.user.pk)).distinct()


def pipelines_seen(request: HttpRequest) -> Any:
    """Pipelines the reader works in."""
    return Pipeline.objects.visible_to(request.user)  # type: ignore[arg-type]


def stages_seen(request: HttpRequest) -> Any:
    """Stages of those pipelines."""
    stages = Stage.objects.live().filter(pipeline__in=pipelines_seen(request)).select_related("pipeline")
    return stages.order_by("pipeline__position", "pipeline_id", "position")


def contact_segments_seen(request: HttpRequest) -> Any:
    """Segments of contacts that the reader may use."""
    return Segment.objects.visible_to(request.user).filter(about=CONTACT).select_related("owner")


def companies_seen(request: HttpRequest) -> Any:
    """Companies the reader may see."""
    return Company.objects.visible_to(request.user)


def contacts_seen(request: HttpRequest) -> Any:
    """Contacts the reader may see."""
    return Contact.objects.visible_to(request.user)


class CompanyFilter(django_filters.FilterSet):
    """Companies by text, owner, industry and country."""

    q = TextFilter(label=_("Name or domain"))
    owner = ChoiceOfRows(queryset=people_seen, label=_("Owner"))
    industry = django_filters.CharFilter(lookup_expr="iexact", label=_("Industry"), max_length=120)
    country = django_filters.CharFilter(lookup_expr="iexact", label=_("Country"), max_length=120)

    class Meta:
        model = Company
        fields: list[str] = []


class ContactFilter(django_filters.FilterSet):
    """Contacts by text, segment and owner."""

    q = TextFilter(label=_("Name, e-mail or phone"))
    segment = ChoiceOfRows(queryset=contact_segments_seen, method="in_segment", label=_("Segment"))
    owner = ChoiceOfRows(queryset=people_seen, label=_("Owner"))

    class Meta:
        model = Contact
        fields: list[str] = []

    def in_segment(self, contacts: Any, _name: str, segment: Segment) -> Any:
        """Contacts that the segment finds now."""
        return within(contacts, segment, me=self.request.user, now=timezone.now())


class DealFilter(django_filters.FilterSet):
    """Deals by everything a person narrows a list or a board by; the outcome is a tab of the list."""

    q = TextFilter(label=_("Deal or company"))
    pipeline = ChoiceOfRows(queryset=pipelines_seen, to_field_name="slug", label=_("Pipeline"))
    stage = ChoiceOfRows(queryset=stages_seen, label=_("Stage"))
    owner = ChoiceOfRows(queryset=people_seen, label=_("Owner"))
    team = ChoiceOfRows(field_name="owner__team", queryset=teams_seen, label=_("Team"))
    source = ChoiceOfRows(queryset=LeadSource.objects.all(), label=_("Source"))
    state = django_filters.ChoiceFilter(
        choices=[
            ("overdue", _("overdue")),
            ("today", _("today")),
            ("planned", _("planned")),
            ("unplanned", _("nothing planned")),
            ("rotting", _("rotting")),
            ("quiet", _("gone quiet")),
        ],
        method="in_state",
        label=_("Next step"),
        empty_label=ANY,
    )
    tag = django_filters.CharFilter(method="with_tag", label=_("Tag"), max_length=40)
    amount_from = SumFilter(field_name="amount", lookup_expr="gte", label=_("Amount from"))
    amount_to = SumFilter(field_name="amount", lookup_expr="lte", label=_("Amount to"))
    closes_from = DayFilter(field_name="expected_close_on", lookup_expr="gte", label=_("Closes from"))
    closes_to = DayFilter(field_name="expected_close_on", lookup_expr="lte", label=_("Closes until"))
    created_from = DayFilter(field_name="created_at", lookup_expr="gte", is_moment=True, label=_("Created from"))
    created_to = DayFilter(field_name="created_at", lookup_expr="lt", is_moment=True, label=_("Created until"))
    company = django_filters.ModelChoiceFilter(queryset=companies_seen, label=_("Company"), widget=HiddenInput)
    contact = django_filters.ModelChoiceFilter(queryset=contacts_seen, label=_("Contact"), widget=HiddenInput)

    class Meta:
        model = Deal
        fields: list[str] = []

    def in_state(self, deals: Any, _name: str, state: str) -> Any:
        """Open deals in a next-activity state, or rotting."""
        return deals.in_state(state, timezone.now())

    def with_tag(self, deals: Any, _name: str, tag: str) -> Any:
        """Deals that carry the tag."""
        return deals.filter(tags__contains=[tag.strip()])
