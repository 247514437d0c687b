"""Lead forms and what they kept out."""

from __future__ import annotations

from typing import Any

import factory

from crm.models import LeadForm, LeadFormField, Submission

FIELDS: dict[str, dict[str, Any]] = {
    "name": {"label": "Name", "label_ru": "Имя", "maps_to": "name", "is_required": True},
    "email": {"label": "E-mail", "kind": "email", "maps_to": "email"},
    "phone": {"label": "Phone", "label_ru": "Телефон", "kind": "phone", "maps_to": "phone"},
    "message": {"label": "Message", "label_ru": "Сообщение", "kind": "long", "maps_to": "message"},
    "staff": {"label": "How many are you?", "label_ru": "Сколько вас?"},
}


class LeadFormFactory(factory.django.DjangoModelFactory[LeadForm]):
    """A form with a name (required), e-mail, phone, message, and a question of its own."""

    class Meta:
        model = LeadForm
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Form {n}")
    slug = factory.Sequence(lambda n: f"form-{n}")

    @factory.post_generation
    def fields(form: LeadForm, _create: bool, _given: Any, **_more: Any) -> None:  # noqa: N805 (factory_boy's)
        """The five questions, in order."""
        for position, (key, said) in enumerate(FIELDS.items()):
            LeadFormField.objects.create(form=form, key=key, position=position, **said)


class SubmissionFactory(factory.django.DjangoModelFactory[Submission]):
    """A submission that fell into the trap."""

    class Meta:
        model = Submission

    form = factory.SubFactory(LeadFormFactory)
    state = Submission.State.KEPT_OUT
    reason = Submission.Reason.TRAP
    fields = factory.LazyFunction(lambda: {"name": "Greta Holm", "email": "greta@holm.test"})
    content_mark = factory.Sequence(str)
