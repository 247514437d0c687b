"""What a vocabulary is: how one program heads the columns of one kind of record when it exports them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.functional import Promise

from crm.rules.records.reading import normal_name

Headings = Mapping[str, tuple[str, ...]]
"""What we hold → how the program heads it, in any case and language, the surest first.

Beside our columns these may be parts of a name (`targets.PARTS`) and `stage_outcome`: a stage that says won or lost.
"""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The headings of one kind of record in one program's exports."""

    program: str
    kind: str
    headings: Headings
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our column → the program's word → ours; "*" is everything else, and "" leaves the cell empty."""
    telling: tuple[str, ...] = ()
    """Headings that hold nothing of ours, but tell this program (and kind) from the others."""
    holds: str | Promise = ""
    """What the table holds, where that is nothing the wizard can import; `kind` is then empty."""

    @cached_property
    def by_heading(self) -> dict[str, str]:
        """Heading, as headings are compared → what it holds of ours."""
        return {normal_name(name): target for target, names in reversed([*self.headings.items()]) for name in names}

    @cached_property
    def known(self) -> frozenset[str]:
        """Every heading of this table that is known, as headings are compared."""
        return frozenset(self.by_heading) | {normal_name(name) for name in self.telling}
