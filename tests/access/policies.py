"""Who gets what: the few answers that all addresses share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

IDENTITIES = (
    "anonymous", "deactivated", "viewer", "own", "teammate", "outsider", "manager", "other_manager", "admin",
)  # fmt: skip

Policy = Mapping[str, str]
"""Identity → ok (2xx, a redirect elsewhere, 409 or 422), login, or a status such as 403, 404, 405."""

_STRANGERS = {"anonymous": "login", "deactivated": "login"}

PUBLIC: Policy = dict.fromkeys(IDENTITIES, "ok")
NOBODY: Policy = {**dict.fromkeys(IDENTITIES, "405"), **_STRANGERS}
NOBODY_PUBLIC: Policy = dict.fromkeys(IDENTITIES, "405")
EVERYBODY: Policy = {**dict.fromkeys(IDENTITIES, "ok"), **_STRANGERS}
WRITERS: Policy = {**EVERYBODY, "viewer": "403"}
ADMINS: Policy = {**dict.fromkeys(IDENTITIES, "403"), **_STRANGERS, "admin": "ok"}
READERS: Policy = {**EVERYBODY, "outsider": "404", "other_manager": "404"}
"""Those who see the record: its owner, a team that shares, who leads it, viewers and admins."""
CLAIMERS: Policy = {**READERS, "viewer": "403"}
"""Readers who write at all: whoever sees a lead may try to take it, and is told whose it is."""
OWNERS: Policy = {**READERS, "viewer": "403", "teammate": "403"}
"""Those who change the record: its owner, who leads them, admins."""
RESTORERS: Policy = {**OWNERS, "viewer": "404", "teammate": "404"}
"""Those who could change the record were it not deleted; to all others it is gone."""
ADDRESSEE: Policy = {**dict.fromkeys(IDENTITIES, "404"), **_STRANGERS, "own": "ok"}
"""The one person it was sent to; not even an admin reads another's notices."""


def _no_args(_world: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    """What one address answers to GET and to POST, with its arguments in a world of records owned by `own`.

    `fields` are posted. `names`, where given, says who finds the owner's records named in the answer: those with "ok".
    """

    get: Policy
    post: Policy
    args: Callable[[Any], dict[str, Any]] = _no_args
    query: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    names: Policy | None = None

    @property
    def is_guarded(self) -> bool:
        """Whether `visible_to`, `editable_by` or `in_bin_of` stand between this address and somebody."""
        return self.names is not None or any(
            policy["outsider"] == "404" and policy["admin"] == "ok" for policy in (self.get, self.post)
        )


def reads(policy: Policy, args: Callable[[Any], dict[str, Any]] = _no_args, **more: Any) -> Row:
    """A page: GET as `policy`, nothing to post."""
    return Row(get=policy, post=NOBODY, args=args, **more)


def writes(policy: Policy, args: Callable[[Any], dict[str, Any]] = _no_args, **more: Any) -> Row:
    """An act without a form: POST as `policy`, nothing to get."""
    return Row(get=NOBODY, post=policy, args=args, **more)


def form(policy: Policy, args: Callable[[Any], dict[str, Any]] = _no_args, **more: Any) -> Row:
    """A form: GET and POST as `policy`."""
    return Row(get=policy, post=policy, args=args, **more)
