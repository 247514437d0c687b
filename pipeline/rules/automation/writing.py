"""Sending a template to the deal's contact, as the deal's owner."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.models import Contact, EmailTemplate, Lead
from crm.rules.emails import Letter, refuse_unreachable, write_email
from crm.rules.errors import RuleError
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
    )
)
