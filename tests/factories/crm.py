"""People, companies, leads, activities and follow-ups."""

from __future__ import annotations

import datetime as dt
from typing import Any

import factory
from django.utils import timezone

from crm.models import Activity, Company, Contact, FollowUp, Lead, LeadSource, Team, User

PASSWORD = "correct horse battery staple"


class TeamFactory(factory.django.DjangoModelFactory[Team]):
    """A team that shares its records."""

    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A rep without a team; the password is `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@example.test")
    password = factory.django.Password(PASSWORD)


class CompanyFactory(factory.django.DjangoModelFactory[Company]):
    """A company of nobody's."""

    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Company {n}")


class ContactFactory(factory.django.DjangoModelFactory[Contact]):
    """A person of no company."""

    class Meta:
        model = Contact

    name = factory.Sequence(lambda n: f"Contact {n}")


class LeadSourceFactory(factory.django.DjangoModelFactory[LeadSource]):
    """A lead source with the default time to answer."""

    class Meta:
        model = LeadSource

    name = factory.Sequence(lambda n: f"Source {n}")
    slug = factory.Sequence(lambda n: f"source-{n}")


class LeadFactory(factory.django.DjangoModelFactory[Lead]):
    """A new lead of nobody's."""

    class Meta:
        model = Lead

    name = factory.Sequence(lambda n: f"Lead {n}")


class ActivityFactory(factory.django.DjangoModelFactory[Activity]):
    """An outbound call about `subject`."""

    class Meta:
        model = Activity

    kind = Activity.Kind.CALL
    direction = Activity.Direction.OUT


class FollowUpFactory(factory.django.DjangoModelFactory[FollowUp]):
    """A call due in an hour about `subject`, to be done by `assignee`."""

    class Meta:
        model = FollowUp

    kind = FollowUp.Kind.CALL
    title = factory.Sequence(lambda n: f"Call {n}")
    due_at = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(hours=1))
    due_local = factory.SelfAttribute("due_at")

    @classmethod
    def _create(cls, model_class: type[FollowUp], *args: Any, **kwargs: Any) -> FollowUp:
        follow_up: FollowUp = super()._create(model_class, *args, **kwargs)
        earliest = follow_up.subject.follow_ups.filter(done_at=None, deleted_at=None).order_by("due_at").first()
        type(follow_up.subject)._default_manager.filter(pk=follow_up.subject_id).update(
            next_step_at=earliest.due_at if earliest else None
        )
        follow_up.subject.refresh_from_db()
        return follow_up
