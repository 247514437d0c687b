"""Signing, correcting, cancelling and renewing contracts: what churn is counted from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.models import Company, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from pipeline.models import Contract, Deal

EDITABLE = ("starts_on", "ends_on", "monthly_value", "currency")
"""What a person says of a contract; cancelling and renewing have rules of their own."""


class ContractOver(RuleError):
    """The contract has been cancelled, or has no end to renew from (422)."""

    code = "contract_over"


class TooEarly(RuleError):
    """A date lies before the contract begins, or an end before the beginning (422)."""

    code = "too_early"


def sign_contract(company: Company, *, fields: Mapping[str, Any], by: User, deal: Deal | None = None) -> Contract:
    """Write down a contract of `EDITABLE` fields with the company; its owner is the deal's, else the signer."""
    _refuse_unless_editable(deal if deal is not None else company, by)
    with acting(by):
        contract = Contract(company=company, deal=deal, owner=deal.owner if deal is not None else by)
        return _write(contract, fields)


def edit_contract(contract: Contract, *, fields: Mapping[str, Any], by: User) -> Contract:
    """Correct the given fields of `EDITABLE`."""
    _refuse_unless_editable(contract, by)
    with acting(by):
        return _write(_locked(contract), fields)


def cancel_contract(contract: Contract, *, on: dt.date, reason: str, by: User) -> Contract:
    """End the contract on `on`, its first day without, and say why they left; ContractOver if it ended before."""
    _refuse_unless_editable(contract, by)
    with acting(by):
        fresh = _locked(contract)
        if fresh.cancelled_on is not None:
            raise ContractOver(_("This contract has been cancelled already."))
        if on < fresh.starts_on:
            raise TooEarly(_("A contract cannot be cancelled before it starts."))
        if fresh.ends_on is not None and on >= fresh.ends_on:
            raise ContractOver(_("This contract ends before that day by itself."))
        fresh.cancelled_on, fresh.churn_reason = on, reason
        fresh.save(update_fields=["cancelled_on", "churn_reason"])
    return fresh


def resume_contract(contract: Contract, *, by: User) -> Contract:
    """Take a cancellation back, as if it had not been."""
    _refuse_unless_editable(contract, by)
    with acting(by):
        fresh = _locked(contract)
        fresh.cancelled_on, fresh.churn_reason = None, ""
        fresh.save(update_fields=["cancelled_on", "churn_reason"])
    return fresh


def renew_contract(contract: Contract, *, fields: Mapping[str, Any], by: User) -> Contract:
    """Sign the next term, which starts on the day this one ends, so that no gap counts as churn, and return it."""
    _refuse_unless_editable(contract, by)
    with acting(by):
        fresh = _locked(contract)
        if fresh.cancelled_on is not None:
            raise ContractOver(_("A cancelled contract is not renewed; sign a new one."))
        if fresh.ends_on is None:
            raise ContractOver(_("This contract has no end; it goes on by itself."))
        following = Contract(company=fresh.company, deal=fresh.deal, owner=fresh.owner, currency=fresh.currency)
        return _write(following, {**fields, "starts_on": fresh.ends_on})


def delete_contract(contract: Contract, *, by: User, now: dt.datetime) -> None:
    """Put a contract that was never meant into the bin; churn forgets it."""
    _refuse_unless_editable(contract, by)
    with acting(by):
        fresh = _locked(contract)
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])


def restore_contract(contract: Contract, *, by: User, now: dt.datetime) -> Contract:
    """Take a contract out of the bin, as it was."""
    with acting(by):
        binned = Contract.objects.in_bin_of(by, now).select_for_update(of=("self",)).filter(pk=contract.pk).first()
        if binned is None:
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        binned.deleted_at = None
        binned.save(update_fields=["deleted_at"])
    return binned


def _write(contract: Contract, fields: Mapping[str, Any]) -> Contract:
    for name in EDITABLE:
        if name in fields:
            setattr(contract, name, fields[name])
    if contract.ends_on is not None and contract.ends_on <= contract.starts_on:
        raise TooEarly(_("A contract ends after it starts."))
    contract.save()
    return contract


def _locked(contract: Contract) -> Contract:
    locked: Contract = Contract.objects.select_for_update(of=("self",)).get(pk=contract.pk)
    return locked


def _refuse_unless_editable(record: Any, by: User) -> None:
    if not type(record).objects.editable_by(by).filter(pk=record.pk).exists():
        raise NotAllowed(_("You may see this, but not change its contracts."))
