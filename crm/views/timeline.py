"""The timeline of a record: what people did, what is done of what was planned, and what changed, newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Activity, Email, FollowUp, User
from crm.views.addresses import page_asked
from crm.views.changes import Change, changes_of
from crm.views.emails import Fate, fate_of
from crm.views.requests import PersonRequest

PAGE = 20
LAST_PAGE = 50
"""Each page reads all before it: nobody pages further back than a thousand entries."""

MOST_RELATED = 1000
"""So many deals of a company, the latest, speak on its page."""

SHOWS = {"all": gettext_lazy("All"), "touches": gettext_lazy("Touches"), "changes": gettext_lazy("Changes")}

KIND_ICONS = {"call": "phone", "email": "mail", "meeting": "calendar-event", "message": "message-2", "note": "note"}

HEADLINES = {
    ("call", "out"): gettext_lazy("{who} called {person}"),
    ("call", "in"): gettext_lazy("{person} called"),
    ("email", "out"): gettext_lazy("{who} wrote to {person}"),
    ("email", "in"): gettext_lazy("{person} wrote"),
    ("meeting", "out"): gettext_lazy("{who} met {person}"),
    ("meeting", "in"): gettext_lazy("{who} met {person}"),
    ("message", "out"): gettext_lazy("{who} sent {person} a message"),
    ("message", "in"): gettext_lazy("{person} sent a message"),
    ("note", ""): gettext_lazy("{who} noted"),
}
AUTOMATIC = gettext_lazy("{person} got an automatic answer")


@dataclass(frozen=True)
class Entry:
    """One entry: an activity, a follow-up that was done, an e-mail on its way, or a change.

    What people did has a ringed icon.
    """

    at: dt.datetime
    icon: str
    headline: str = ""
    activity: Activity | None = None
    follow_up: FollowUp | None = None
    change: Change | None = None
    email: Email | None = None
    fate: Fate | None = None
    about: Any = None
    is_editable: bool = False


@dataclass(frozen=True)
class Tab:
    """One of the filters over a timeline, with how many entries it shows."""

    key: str
    label: str
    count: int
    is_shown: bool


@dataclass(frozen=True)
class Timeline:
    """A page of entries; `next_page` is None at the end."""

    entries: Sequence[Entry]
    tabs: Sequence[Tab]
    show: str
    page: int
    next_page: int | None
    url: str


def timeline_of(
    subject: Any, request: PersonRequest, *, changes: list[Change] | None = None, related: Sequence[QuerySet[Any]] = ()
) -> Timeline:
    """Read the page of `subject`'s timeline that the address asks for (`show`, `page`).

    `changes` replaces the plain reading of the audit log; `related` are querysets of further records (already cut to
    what the reader may see) whose activities belong on this page too, such as a company's deals.
    """
    show, page = _asked(request)
    reader: User = request.user
    about = _about(subject, related)
    activities = Activity.objects.present().filter(about).select_related("author", "email__row").order_by("-at", "-pk")
    activities = activities.defer("email__html", "email__text", "email__new_text")
    # What a follow-up left on the timeline as a touch is not told twice.
    follow_ups = FollowUp.objects.present().filter(about, done_at__isnull=False, activity__isnull=True)
    letters = Email.objects.outbound().filter(about, activity=None)
    changes = changes_of(subject, reader) if changes is None else changes
    counts = {"touches": activities.touches().count(), "changes": len(changes)}
    counts["all"] = activities.count() + follow_ups.count() + letters.count() + counts["changes"]
    enough = page * PAGE
    found: list[Entry] = []
    if show in {"all", "touches"}:
        shown = activities if show == "all" else activities.touches()
        found += [_of_activity(row, reader, subject) for row in _with_subjects(shown, subject, related)[:enough]]
    if show == "all":
        done = follow_ups.select_related("done_by", "assignee").order_by("-done_at", "-pk")
        found += [_of_follow_up(row, reader, subject) for row in _with_subjects(done, subject, related)[:enough]]
        waiting = letters.select_related("author", "row").defer("html", "new_text").order_by("-created_at", "-pk")
        found += [_of_letter(row, reader, subject) for row in _with_subjects(waiting, subject, related)[:enough]]
    if show in {"all", "changes"}:
        found += [Entry(at=change.at, icon=change.icon, change=change) for change in changes]
    found.sort(key=lambda entry: entry.at, reverse=True)
    return Timeline(
        entries=found[enough - PAGE : enough],
        tabs=[
            Tab(key, str(label), counts[key], key == show)
            for key, label in SHOWS.items()
            if counts[key] or key in {"all", show}
        ],
        show=show,
        page=page,
        next_page=page + 1 if counts[show] > enough and page < LAST_PAGE else None,
        url=subject.get_absolute_url(),
    )


def asks_for_timeline(request: PersonRequest) -> bool:
    """Whether htmx wants only the timeline of the page that it names."""
    return request.htmx.target in {"timeline", "timeline-more"}


def render_timeline(request: PersonRequest, timeline: Timeline) -> HttpResponse:
    """Answer the timeline alone, or only its further entries."""
    part = "#entries" if request.htmx.target == "timeline-more" else ""
    return render(request, f"crm/_timeline.html{part}", {"timeline": timeline})


def _asked(request: PersonRequest) -> tuple[str, int]:
    show = request.GET.get("show", "all")
    if show not in SHOWS:
        raise Http404
    return show, page_asked(request, last=LAST_PAGE)


def _about(subject: Any, related: Sequence[QuerySet[Any]]) -> Q:
    about = Q(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk)
    for rows in related:
        # Ids rather than a subquery: beside an OR the planner would read every activity there is.
        pks = list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST_RELATED])
        about |= Q(subject_type=ContentType.objects.get_for_model(rows.model), subject_id__in=pks)
    return about


def _with_subjects(rows: Any, subject: Any, related: Sequence[QuerySet[Any]]) -> Any:
    """Fetch what each row is about in one query a kind; of the page's own subject the page knows already."""
    if not related:
        return rows
    return rows.prefetch_related(GenericPrefetch("subject", [type(subject).objects.all(), *related]))


def _of_activity(activity: Activity, reader: User, page_subject: Any) -> Entry:
    about = _subject_of(activity, page_subject)
    is_ours = activity.is_automatic and activity.direction == Activity.Direction.OUT
    pattern = AUTOMATIC if is_ours else HEADLINES[activity.kind, activity.direction]
    return Entry(
        at=activity.at,
        icon=KIND_ICONS[activity.kind],
        headline=format_html(str(pattern), who=_who(activity.author, reader), person=_person(about, activity)),
        activity=activity,
        email=(email := getattr(activity, "email", None)),
        fate=fate_of(email, now=timezone.now()) if email is not None and email.direction == "out" else None,
        about=None if about == page_subject else about,
        is_editable=_is_own(activity.author_id, reader),
    )


def _of_letter(email: Email, reader: User, page_subject: Any) -> Entry:
    """An e-mail that has not left, or did not: it is no touch."""
    about = _subject_of(email, page_subject)
    pattern = str(HEADLINES["email", "out"])
    return Entry(
        at=email.created_at,
        icon="mail",
        headline=format_html(pattern, who=_who(email.author, reader), person=email.to_name or email.to_address),
        email=email,
        fate=fate_of(email, now=timezone.now()),
        about=None if about == page_subject else about,
    )


def _of_follow_up(follow_up: FollowUp, reader: User, page_subject: Any) -> Entry:
    about = _subject_of(follow_up, page_subject)
    who = _who(follow_up.done_by or follow_up.assignee, reader)
    return Entry(
        at=follow_up.done_at,  # type: ignore[arg-type]  # only done ones are read
        icon="check",
        headline=format_html(_("{who} did what was planned"), who=who),
        follow_up=follow_up,
        about=None if about == page_subject else about,
    )


def _subject_of(row: Activity | Email | FollowUp, page_subject: Any) -> Any:
    is_own = row.subject_id == page_subject.pk and row.subject_type_id == _type_id(page_subject)
    return page_subject if is_own else row.subject


def _type_id(record: Any) -> int:
    return ContentType.objects.get_for_model(record).pk


def _who(person: User | None, reader: User) -> SafeString:
    name = _("Someone") if person is None else _("You") if person == reader else str(person)
    return format_html("<b>{}</b>", name)


def _person(about: Any, activity: Activity) -> SafeString:
    """The person a touch was with: the deal's contact, the lead or contact itself; a company has no single one."""
    contact = getattr(about, "contact", None) or (about if hasattr(about, "email") else None)
    if activity.direction == Activity.Direction.IN:
        return format_html("<b>{}</b>", contact or _("The customer"))
    return format_html("{}", contact or _("the customer"))


def _is_own(author_id: int | None, reader: User) -> bool:
    """Whether the reader may correct the entry; the rule asks the database again."""
    ids = reader.editable_owner_ids
    return reader.may_write and (ids is None or author_id in ids)
