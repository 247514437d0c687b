"""Writing to the deal's contact as the deal's owner: a template at once, or a sequence."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.models import Contact, EmailTemplate, Lead, Sequence
from crm.rules.emails import Letter, refuse_unreachable, write_email
from crm.rules.errors import RuleError
from crm.rules.sequences.enrolling import LeftOut, Terms, enrol_person
from pipeline.models import Deal
from pipeline.rules.automation.kinds import Act, ActionKind, NotDone, OneOf, Row, Values, register


def _templates() -> Any:
    return EmailTemplate.objects.present().filter(is_shared=True)


def _person_of(deal: Deal) -> Contact | Lead:
    for person in (deal.contact, deal.lead):
        if person is not None and person.deleted_at is None and person.erased_at is None:
            return person
    raise NotDone("no_person")


def _run(act: Act, values: Values) -> str:
    owner, template = act.deal.owner, values["template"]
    if not owner.is_active:
        raise NotDone("owner_left")
    language = {"owner": owner.language}.get(values["language"] or "owner", values["language"])
    line, body = template.texts(language)
    letter = Letter(line, body, template=template, can_unsubscribe=True)
    write_email(letter, about=act.deal, to=_person_of(act.deal), by=owner, now=act.now)
    return str(template)


def _hinders(deal: Deal, _values: Values) -> str:
    if not deal.owner.is_active:
        return "owner_left"
    try:
        refuse_unreachable(_person_of(deal))
    except NotDone as refusal:
        return refusal.why
    except RuleError as refusal:
        return refusal.code
    return ""


SEND_TEMPLATE = register(
    ActionKind(
        "send_template",
        _("Send an e-mail"),
        _run,
        (
            Row(
                name="template",
                label=_("Template"),
                help=_("One that is shared with everybody. It goes to the deal's contact, in the name of its owner."),
                rows=_templates,
            ),
            OneOf(
                name="language",
                label=_("In"),
                choices=(("owner", _("the owner's language")), ("en", _("English")), ("ru", _("Russian"))),
                is_required=False,
            ),
        ),
        hinders=_hinders,
        place=20,
    )
)


# --- Sequences --------------------------------------------------------------------------------------------------------


def _sequences() -> Any:
    return Sequence.objects.present().filter(is_shared=True)


def _enrol(act: Act, values: Values) -> str:
    owner, sequence = act.deal.owner, values["sequence"]
    if not owner.is_active:
        raise NotDone("owner_left")
    terms = Terms(by=None, sender=owner, language=owner.language)
    try:
        enrol_person(sequence, person=_enrolled(act.deal), terms=terms, now=act.now)
    except LeftOut as refusal:
        raise NotDone(refusal.reason) from refusal
    return str(sequence)


def _enrolled(deal: Deal) -> Contact | Lead:
    """The deal's contact; its lead, once it is a deal, is in no sequence any more."""
    if deal.contact is None or deal.contact.deleted_at is not None or deal.contact.erased_at is not None:
        raise NotDone("no_person")
    return deal.contact


START_SEQUENCE = register(
    ActionKind(
        "start_sequence",
        _("Start a sequence"),
        _enrol,
        (
            Row(
                name="sequence",
                label=_("Sequence"),
                help=_(
                    "One that is shared with everybody. The deal's contact goes through it, written to by its owner."
                ),
                rows=_sequences,
            ),
        ),
        hinders=_hinders,
        place=30,
    )
)
