"""Mailboxes that are read: added, tried, changed, paused and taken away by those whose they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from crm.models import Mailbox, Team, User
from crm.models.keys import FREE_MAIL
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RecordConflict
from crm.rules.receiving.connecting import connected
from crm.rules.receiving.placing import is_known
from crm.rules.sealing import seal

EDITABLE = (
    "name", "address", "host", "port", "security", "username", "folder", "sent_folder", "keeps_unknown", "reads_from",
    "team", "takes_copies",
)  # fmt: skip
CONNECTION = ("host", "port", "security", "username", "folder", "sent_folder")
"""What, when changed, makes earlier trouble and the place one had read to meaningless."""

TRYING_SECONDS = 6


class AddressRefused(NotAllowed):
    """The address may be somebody else's: mail from it would be taken for ours, by everybody."""

    code = "address_refused"


@dataclass(frozen=True)
class Tried:
    """What trying a mailbox showed: how many messages there are to read, by folder."""

    waiting: Mapping[str, int]


def create_mailbox(*, fields: Mapping[str, Any], password: str, by: User) -> Mailbox:
    """Add a mailbox of one's own, or of a team one leads; NotAllowed for another's team or for copies of everybody.

    AddressRefused for an address that is not the person's own, nor of their domain, unless an admin adds it.
    """
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add mailboxes."))
    _refuse_foreign(fields, by)
    _refuse_address(str(fields["address"]), owner=by, by=by)
    with acting(by):
        return Mailbox.objects.create(**_chosen(fields), owner=by, secret=seal(password))


def edit_mailbox(mailbox: Mailbox, *, fields: Mapping[str, Any], password: str, seen_version: int, by: User) -> Mailbox:
    """Write the given fields, and the password where one is given; RecordConflict when somebody was first.

    A password is kept for its server alone: who names another server has to give it anew. A changed address is refused
    as a new mailbox's is.
    """
    _refuse_foreign(fields, by)
    with acting(by):
        fresh = _claimed(mailbox, seen_version, by)
        if str(fields.get("address", fresh.address)).lower() != fresh.address.lower():
            _refuse_address(str(fields["address"]), owner=fresh.owner, by=by)
        before = {name: getattr(fresh, name) for name in CONNECTION}
        for name, value in _chosen(fields).items():
            setattr(fresh, name, value)
        if password:
            fresh.secret = seal(password)
        elif (fresh.host, fresh.username) != (before["host"], before["username"]):
            raise NotAllowed(_("Enter the password again: it was given for another server or user."))
        if password or before != {name: getattr(fresh, name) for name in CONNECTION}:
            fresh.trouble, fresh.trouble_since, fresh.tried_at = "", None, None
        fresh.version += 1
        fresh.save()
    return fresh


def try_mailbox(mailbox: Mailbox) -> Tried:
    """Connect as the reader would, and count what waits; MailboxTrouble says why it does not work. Writes nothing.

    Somebody waits for it: a server that is slow is told of as one that does not answer.
    """
    day = mailbox.reads_from
    with connected(mailbox, seconds=TRYING_SECONDS) as reading:
        waiting = {}
        for name in filter(None, (mailbox.folder, mailbox.sent_folder)):
            reading.open_folder(name)
            waiting[name] = len(reading.uids_after(0, day=day))
    return Tried(waiting)


def pause_mailbox(mailbox: Mailbox, *, is_paused: bool, by: User) -> None:
    """Stop reading a mailbox, or go on where one had stopped."""
    with acting(by):
        fresh = _claimed(mailbox, None, by)
        fresh.is_paused = is_paused
        fresh.version += 1
        fresh.save()


def delete_mailbox(mailbox: Mailbox, *, by: User, now: dt.datetime) -> None:
    """Put a mailbox into the bin: it is read no more, and what it brought stays. Its password is forgotten."""
    with acting(by):
        fresh = _claimed(mailbox, None, by)
        fresh.deleted_at, fresh.secret, fresh.is_paused = now, "", True
        fresh.save()


def restore_mailbox(mailbox: Mailbox, *, by: User, now: dt.datetime) -> None:
    """Take a mailbox out of the bin, paused until somebody enters the password again."""
    if not Mailbox.objects.in_bin_of(by, now).filter(pk=mailbox.pk).exists():
        raise NotAllowed(_("This can no longer be taken out of the bin."))
    with acting(by):
        Mailbox.objects.filter(pk=mailbox.pk).update(deleted_at=None)


def _claimed(mailbox: Mailbox, seen_version: int | None, by: User) -> Mailbox:
    fresh = Mailbox.objects.editable_by(by).select_for_update(of=("self",)).filter(pk=mailbox.pk).first()
    if fresh is None:
        raise NotAllowed(_("Only its owner, their manager or an admin can change this."))
    if seen_version not in {None, fresh.version}:
        raise RecordConflict(fresh)
    return fresh


def _refuse_foreign(fields: Mapping[str, Any], by: User) -> None:
    team: Team | None = fields.get("team")
    if team is not None and not by.is_admin and not team.leaders.filter(pk=by.pk).exists():
        raise NotAllowed(_("Only who leads a team, or an admin, gives it a mailbox."))
    if fields.get("takes_copies") and not by.is_admin:
        raise NotAllowed(_("Only an admin names the mailbox that takes everybody's copies."))


def _refuse_address(address: str, *, owner: User, by: User) -> None:
    address = address.lower()
    if address == owner.email.lower():
        return
    if by.is_admin and is_known(address):
        raise AddressRefused(_("This is the address of a lead or contact: their mail would be taken for ours."))
    if not by.is_admin and (_is_foreign(address, owner) or is_known(address) or _is_anothers(address)):
        raise AddressRefused(_("Your own address, or one of your company's domain; others an admin adds."))


def _is_foreign(address: str, owner: User) -> bool:
    """Whether an address lies elsewhere; at the free providers everybody does."""
    domain, home = address.rpartition("@")[2], owner.email.lower().rpartition("@")[2]
    return domain not in settings.MAIL_OWN_DOMAINS and (domain != home or home in FREE_MAIL)


def _is_anothers(address: str) -> bool:
    return User.objects.filter(email__iexact=address).exists()


def _chosen(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in EDITABLE if name in fields}
