"""What a board is narrowed by, as it stands in its address."""

from __future__ import annotations

from typing import Any

from crm.models import Team, User
from pipeline.forms.record_filters import DealFilter

CHEAP = frozenset({"owner", "team"})
"""With no other filters than these the running totals of the columns can be used."""


class BoardFilter(DealFilter):
    """The filters of the deal list, without those that the board itself is: pipeline, stage and record."""

    # None takes an inherited filter away, as with Django's forms.
    pipeline = None  # type: ignore[assignment]
    stage = None  # type: ignore[assignment]
    company = None
    contact = None
    created_from = None  # type: ignore[assignment]
    created_to = None  # type: ignore[assignment]

    @property
    def chosen(self) -> dict[str, Any]:
        """The filters that are set, with their values."""
        return {name: value for name, value in self.form.cleaned_data.items() if value not in {None, ""}}

    @property
    def is_cheap(self) -> bool:
        """Whether the running totals answer for it."""
        return set(self.chosen) <= CHEAP

    def owner_ids(self, viewer: User) -> frozenset[int] | None:
        """Whose deals are shown; None means everybody's."""
        ids = viewer.visible_owner_ids
        owner: User | None = self.chosen.get("owner")
        team: Team | None = self.chosen.get("team")
        if owner is not None:
            ids = frozenset({owner.pk})
        if team is not None:
            members = frozenset(User.objects.filter(team=team).values_list("pk", flat=True))
            ids = members if ids is None else ids & members
        return ids
