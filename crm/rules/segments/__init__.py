"""Segments: what can be asked of leads and contacts, how it is checked, said and found, and how segments are kept.

The apps above add fields with `register`; whoever works by segments asks `people_in` or `holds`.
"""

from crm.rules.segments import declared
from crm.rules.segments.fields import CONTACT, LEAD, Asking, SegmentField, field_named, fields_of, register
from crm.rules.segments.keeping import (
    NameTaken,
    SegmentConflict,
    SegmentInUse,
    create_segment,
    delete_segment,
    duplicate_segment,
    edit_segment,
    restore_segment,
    uses_of,
)
from crm.rules.segments.people import (
    count_quickly,
    first_quickly,
    holds,
    narrowed,
    people_in,
    rows_seen,
    segments_of,
    within,
)
from crm.rules.segments.refusals import ConditionsRefused
from crm.rules.segments.tree import checked
from crm.rules.segments.words import sentence

__all__ = [
    "CONTACT",
    "LEAD",
    "Asking",
    "ConditionsRefused",
    "NameTaken",
    "SegmentConflict",
    "SegmentField",
    "SegmentInUse",
    "checked",
    "count_quickly",
    "create_segment",
    "declared",
    "delete_segment",
    "duplicate_segment",
    "edit_segment",
    "field_named",
    "fields_of",
    "first_quickly",
    "holds",
    "narrowed",
    "people_in",
    "register",
    "restore_segment",
    "rows_seen",
    "segments_of",
    "sentence",
    "uses_of",
    "within",
]
