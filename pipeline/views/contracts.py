"""Contracts on the pages of deals and companies: signed, corrected, renewed, cancelled, deleted."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.models import Company
from crm.views.authorising import editable_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable
from pipeline.forms.contracts import CancelForm, ContractForm, RenewForm
from pipeline.models import Contract, Deal
from pipeline.rules import contracts as rules

CHANGED = "contracts-changed"
"""What the panels that list contracts listen to."""

Standing = tuple[Contract, str]
"""A contract, and how it stands today."""

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def standing_of(contracts: Any) -> list[Standing]:
    """Return `contracts` (a queryset), the latest first, each with how it stands today."""
    today = timezone.localdate()
    return [(contract, contract.state_on(today)) for contract in contracts.order_by("-starts_on", "-pk")]


@form_methods
def deal_contract(request: PersonRequest, pk: int) -> HttpResponse:
    """Write down the contract that a deal led to."""
    deal = editable_or_403(Deal.objects.select_related("company", "owner"), request.user, pk=pk)
    if deal.company is None:
        return redirect("deal_edit", pk)  # a contract is a company's: name it first
    return _sign(request, deal.company, deal, reverse("deal_contract", args=[pk]))


@form_methods
def company_contract(request: PersonRequest, pk: int) -> HttpResponse:
    """Write down a contract with a company."""
    company = editable_or_403(Company.objects, request.user, pk=pk)
    return _sign(request, company, None, reverse("company_contract", args=[pk]))


@form_methods
def contract_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Correct the terms of a contract."""
    contract = _own(request, pk)
    initial = {name: getattr(contract, name) for name in rules.EDITABLE}
    form = ContractForm(posted(request), initial=initial, currency=contract.currency)
    return _decide(
        request,
        form,
        contract,
        title=_("Edit contract"),
        submit=_("Save"),
        rule=lambda said: rules.edit_contract(contract, fields=said, by=request.user),
    )


@form_methods
def contract_renew(request: PersonRequest, pk: int) -> HttpResponse:
    """Sign the next term of a contract that has an end."""
    contract = _own(request, pk)
    form = RenewForm(
        posted(request),
        initial={"monthly_value": contract.monthly_value},
        ends_on=contract.ends_on or timezone.localdate(),
    )
    return _decide(
        request,
        form,
        contract,
        title=_("Renew contract"),
        submit=_("Renew"),
        rule=lambda said: rules.renew_contract(contract, fields=said, by=request.user),
    )


@form_methods
def contract_cancel(request: PersonRequest, pk: int) -> HttpResponse:
    """Say from which day a contract is cancelled, and why."""
    contract = _own(request, pk)
    form = CancelForm(posted(request), initial={"on": timezone.localdate()})
    return _decide(
        request,
        form,
        contract,
        title=_("Cancel contract"),
        submit=_("Cancel contract"),
        rule=lambda said: rules.cancel_contract(contract, **said, by=request.user),
    )


@require_POST
def contract_resume(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a cancellation back."""
    contract = rules.resume_contract(_own(request, pk), by=request.user)
    return close_dialog(request, to=_page_of(contract), event=CHANGED)


@require_POST
def contract_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put a contract that was never meant into the bin."""
    contract = _own(request, pk)
    rules.delete_contract(contract, by=request.user, now=timezone.now())
    say_undoable(request, _("The contract is in the bin."), undo_url=reverse("contract_restore", args=[pk]))
    return close_dialog(request, to=_page_of(contract), event=CHANGED)


@require_POST
def contract_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a contract out of the bin."""
    now = timezone.now()
    contract = get_object_or_404(Contract.objects.in_bin_of(request.user, now), pk=pk)
    contract = rules.restore_contract(contract, by=request.user, now=now)
    return close_dialog(request, to=_page_of(contract), event=CHANGED)


def _own(request: PersonRequest, pk: int) -> Contract:
    contract: Contract = editable_or_403(Contract.objects.select_related("company", "deal"), request.user, pk=pk)
    return contract


def _sign(request: PersonRequest, company: Company, deal: Deal | None, action: str) -> HttpResponse:
    initial = {"starts_on": timezone.localdate()}
    form = ContractForm(posted(request), initial=initial, **({"currency": deal.currency} if deal else {}))
    if request.method == "POST" and form.is_valid():
        rules.sign_contract(company, fields=form.cleaned_data, by=request.user, deal=deal)
        return close_dialog(request, to=deal or company, event=CHANGED)
    context = {"title": _("New contract"), "action": action, "submit": _("Add contract")}
    return render_dialog(request, form, context)


def _decide(
    request: PersonRequest, form: Any, contract: Contract, *, title: str, submit: str, rule: Any
) -> HttpResponse:
    """Show the form; when it is sent, let the rule decide, and show its refusal above the fields."""
    if request.method == "POST" and form.is_valid():
        try:
            rule(form.cleaned_data)
        except (rules.ContractOver, rules.TooEarly) as refusal:
            form.add_error(None, refusal.message)
        else:
            return close_dialog(request, to=_page_of(contract), event=CHANGED)
    return render_dialog(request, form, {"title": title, "action": request.path, "submit": submit})


def _page_of(contract: Contract) -> Deal | Company:
    return contract.deal or contract.company
