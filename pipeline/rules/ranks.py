"""Where a card lies in its column: the client names neighbours, the server computes the rank.

Ranks are fractional indices (https://observablehq.com/@dgreensp/implementing-fractional-indexing): texts compared
bytewise, between any two of which there is always another, so that no other card is ever rewritten.
"""

from __future__ import annotations

from fractional_indexing import generate_key_between, generate_n_keys_between

from pipeline.models import Deal, Stage


def rank_on_top(stage: Stage) -> str:
    """Return a rank before every open card of `stage`."""
    first = Deal.objects.open().filter(stage=stage).in_board_order().values_list("rank", flat=True).first()
    return generate_key_between(None, first)


def rank_between(stage: Stage, *, after: int | None, before: int | None) -> str:
    """Return a rank below card `after` and above card `before` (ids of deals; either may be gone or elsewhere).

    A neighbour that has left the column since the client drew it is ignored; with none left the card goes on top.
    """
    ranks = dict(
        Deal.objects.open().filter(stage=stage, pk__in=[pk for pk in (after, before) if pk]).values_list("pk", "rank")
    )
    above, below = ranks.get(after or 0), ranks.get(before or 0)
    if above is None and below is None:
        return rank_on_top(stage)
    cards = Deal.objects.open().filter(stage=stage)
    if above is None:
        above = cards.filter(rank__lt=below).order_by("-rank").values_list("rank", flat=True).first()
    elif below is None or below <= above:
        below = cards.filter(rank__gt=above).order_by("rank").values_list("rank", flat=True).first()
    return generate_key_between(above, below)


def ranks_on_top(stage: Stage, count: int) -> list[str]:
    """Return `count` ranks in ascending order, all before every open card of `stage`; for loading in bulk."""
    first = Deal.objects.open().filter(stage=stage).in_board_order().values_list("rank", flat=True).first()
    return list(generate_n_keys_between(None, first, count))
