"""What a merged record says: each field as a person chose it, and what follows from all of them together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from crm.models import Lead

ALL = "all"
"""The choice to keep every text, one under the other."""

EMPTY = (None, "")

STATUS_RANK = (
    Lead.Status.CONVERTED,
    Lead.Status.QUALIFIED,
    Lead.Status.WORKING,
    Lead.Status.NEW,
    Lead.Status.NURTURING,
    Lead.Status.DISQUALIFIED,
)
"""Of several leads the one that has come furthest says how far the merged one is."""

FOLLOW_STATUS = (
    "status",
    "converted_at",
    "disqualified_at",
    "disqualify_reason",
    "nurture_until",
    "company",
    "contact",
)


@dataclass(frozen=True)
class FieldChoice:
    """A field to choose: what each record says, by id, and which is proposed."""

    name: str
    label: str
    values: Mapping[int, Any]
    proposed: int
    can_keep_all: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the records say different things."""
        return len({_said(value) for value in self.values.values()}) > 1


def survivor_among(records: Sequence[Any]) -> Any:
    """Return the record that stays: a converted lead, else the oldest, whose address most people know."""
    return min(
        records, key=lambda record: (getattr(record, "converted_at", None) is None, record.created_at, record.pk)
    )


def field_choices(records: Sequence[Any]) -> list[FieldChoice]:
    """Return the fields a person chooses, each with the newest value that says something proposed."""
    newest_first = sorted(records, key=lambda record: (record.created_at, record.pk), reverse=True)
    choices = [_choice(field, newest_first) for field in chosen_fields(type(records[0]))]
    sources = [choice for choice in choices if choice.name == "source"]
    return [_within(sources[0], choice) if choice.name == "campaign" else choice for choice in choices]


def chosen_fields(model: type[models.Model]) -> list[Any]:
    """The fields a person chooses: all that a person writes, but for those that follow from the records together."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.editable and not field.generated and field.name not in _following(model) and not field.primary_key
    ]


def _choice(field: Any, newest_first: Sequence[Any]) -> FieldChoice:
    values = {record.pk: getattr(record, field.name) for record in newest_first}
    filled = [pk for pk, value in values.items() if value not in EMPTY]
    is_text = isinstance(field, models.TextField) and len({_said(values[pk]) for pk in filled}) > 1
    fits = is_text and len(_together(values)) <= (field.max_length or 10_000)
    return FieldChoice(
        name=field.name,
        label=str(field.verbose_name),
        values=values,
        proposed=filled[0] if filled else newest_first[0].pk,
        can_keep_all=fits,
    )


def _within(source: FieldChoice, campaign: FieldChoice) -> FieldChoice:
    """The choice of a campaign, with one of the proposed source proposed, else none where a record has none."""
    wanted = source.values[source.proposed]
    fits = [pk for pk, value in campaign.values.items() if value and (wanted is None or value.source == wanted)]
    none = [pk for pk, value in campaign.values.items() if value is None]
    return replace(campaign, proposed=next(iter([*fits, *none]), campaign.proposed))


def _with_its_source(records: Sequence[Any], said: dict[str, Any]) -> dict[str, Any]:
    """A campaign runs within its source: the one chosen has a campaign of its own among the records, or none."""
    source, campaign = said.get("source"), said.get("campaign")
    if campaign is None or campaign.source == source:
        return said
    if source is None:
        return said | {"source": campaign.source}
    own = (record.campaign for record in records if record.campaign and record.campaign.source == source)
    return said | {"campaign": next(own, None)}


def merged_values(records: Sequence[Any], chosen: Mapping[str, int | str]) -> dict[str, Any]:
    """Return what the survivor is to say; a field that is not in `chosen` gets what is proposed."""
    said: dict[str, Any] = {}
    for choice in field_choices(records):
        default = ALL if choice.can_keep_all else choice.proposed
        picked = chosen.get(choice.name, default)
        if picked == ALL and choice.can_keep_all:
            said[choice.name] = _together(choice.values)
        else:
            said[choice.name] = choice.values.get(picked, choice.values[choice.proposed])  # type: ignore[arg-type]
    said = _with_its_source(records, said)
    following = _following(type(records[0]))
    return said | {name: combined(records, name) for name, combined in following.items()}


def fingerprint(record: Any) -> str:
    """Return a mark of what a record says, which tells whether somebody changed it since it was shown."""
    names = [*(field.name for field in chosen_fields(type(record))), *_following(type(record))]
    attributes = {name: getattr(record, record._meta.get_field(name).attname) for name in names}
    written = json.dumps(attributes, cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _following(model: type[models.Model]) -> dict[str, Callable[[Sequence[Any], str], Any]]:
    return _FOLLOWING[str(model._meta.model_name)]


def _said(value: Any) -> Any:
    return "" if value in EMPTY else value


def _together(values: Mapping[int, Any]) -> str:
    """All texts that say something, the oldest first, none twice."""
    texts = [str(value).strip() for value in reversed(list(values.values())) if value not in EMPTY]
    return "\n\n".join(dict.fromkeys(texts))


def _earliest(records: Sequence[Any], name: str) -> Any:
    return min((value for record in records if (value := getattr(record, name)) is not None), default=None)


def _latest(records: Sequence[Any], name: str) -> Any:
    return max((value for record in records if (value := getattr(record, name)) is not None), default=None)


def _furthest(records: Sequence[Any], name: str) -> Any:
    """What the lead says that has come furthest; one that was answered is no longer new."""
    lead = min(records, key=lambda record: (STATUS_RANK.index(record.status), record.created_at, record.pk))
    is_answered = any(record.first_response_at for record in records)
    if name == "status" and lead.status == Lead.Status.NEW and is_answered:
        return Lead.Status.WORKING
    value = getattr(lead, name)
    return _first_filled(records, name) if value is None and name in {"company", "contact"} else value


def _first_filled(records: Sequence[Any], name: str) -> Any:
    """The survivor's own, else the first there is."""
    own = [survivor_among(records), *sorted(records, key=lambda record: record.pk)]
    return next((value for record in own if (value := getattr(record, name)) not in EMPTY), None)


_OF_ALL: dict[str, Callable[[Sequence[Any], str], Any]] = {
    "created_at": _earliest,
    "last_touch_at": _latest,
    "external_id": _first_filled,
}
_FOLLOWING: dict[str, dict[str, Callable[[Sequence[Any], str], Any]]] = {
    "company": _OF_ALL,
    "contact": _OF_ALL,
    "lead": {
        **_OF_ALL,
        "first_response_at": _earliest,
        "answer_by": _earliest,
        "escalated_at": _earliest,
        "qualified_at": _earliest,
        **dict.fromkeys(FOLLOW_STATUS, _furthest),
    },
}
"""What nobody chooses: a merged lead came in when the first of them did, and was answered when it first was."""
