"""The invented company's users, teams and process."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from crm.models import Campaign, DisqualifyReason, LeadSource, Team, User
from metrics.demo import vocabulary as words
from metrics.demo.calendars import invent_calendars
from metrics.scope import add_months
from pipeline.default_pipeline import create_default_pipeline
from pipeline.models import (
    ChecklistItem,
    FollowUpList,
    LossReason,
    Pipeline,
    Product,
    Stage,
    StageAction,
    StageRule,
)

PASSWORD = "demo"  # noqa: S105 (known on purpose: the demo prints it)


@dataclass(frozen=True)
class Rep:
    """Somebody who sells: how well, in which currency's country."""

    user: User
    skill: float
    is_russian: bool


@dataclass(frozen=True)
class Cast:
    """Everybody who sells, and the process they follow."""

    reps: list[Rep]
    stages: list[Stage]
    sources: list[LeadSource]
    loss_reasons: list[LossReason]
    disqualify_reasons: list[DisqualifyReason]
    campaigns: list[Campaign]

    @property
    def pipeline(self) -> Pipeline:
        """The one pipeline they sell in."""
        return self.stages[0].pipeline

    def campaign_of(self, source: LeadSource, day: dt.date) -> Campaign | None:
        """The campaign of a source that ran on a day, if one did."""
        of_source = (campaign for campaign in self.campaigns if campaign.source_id == source.pk)
        return next((campaign for campaign in of_source if ran_on(campaign, day)), None)


def ran_on(campaign: Campaign, day: dt.date) -> bool:
    """Whether a campaign with a beginning and an end ran on a day."""
    return bool(campaign.starts_on and campaign.ends_on and campaign.starts_on <= day <= campaign.ends_on)


def invent_cast(rng: random.Random, *, today: dt.date) -> Cast:
    """Create the users, teams, their working time, stages, sources, campaigns and reasons."""
    sources = [
        LeadSource.objects.get_or_create(slug=slug, defaults={"name": name, "name_ru": name_ru})[0]
        for slug, name, name_ru, *_rest in words.SOURCES
    ]
    reps = _invent_people(rng)
    invent_calendars([rep.user for rep in reps], today=today)
    return Cast(
        reps=reps,
        stages=_dress_pipeline(),
        sources=sources,
        campaigns=_invent_campaigns({source.slug: source for source in sources}, today),
        loss_reasons=list(LossReason.objects.filter(pipeline=None)),
        disqualify_reasons=[
            DisqualifyReason.objects.get_or_create(name=name, defaults={"name_ru": name_ru})[0]
            for name, name_ru in words.DISQUALIFY_REASONS
        ],
    )


def _invent_campaigns(sources: dict[str, LeadSource], today: dt.date) -> list[Campaign]:
    months = months_before(today, 26)
    return [
        Campaign.objects.create(
            name=name,
            source=sources[slug],
            starts_on=months[-1 - ago],
            ends_on=add_months(months[-1 - ago], length - 1) + dt.timedelta(days=27),
        )
        for slug, name, ago, length, _spend in words.CAMPAIGNS
    ]


def months_before(day: dt.date, count: int) -> list[dt.date]:
    """Return the first days of the `count` months up to the one of `day`, in order."""
    first = day.year * 12 + day.month - 1
    return [dt.date(number // 12, number % 12 + 1, 1) for number in range(first - count + 1, first + 1)]


def _invent_people(rng: random.Random) -> list[Rep]:
    password = make_password(PASSWORD)  # one slow hash for all of them
    roles = {"manager": "Sergey Manager", "admin": "Ada Admin", "viewer": "Vera Viewer"}
    leads_all = {
        role: User.objects.create(email=f"{role}@demo.test", name=name, role=role, password=password)
        for role, name in roles.items()
    }
    reps: list[Rep] = []
    for team_name, people in (("North", words.REPS_NORTH), ("South", words.REPS_SOUTH), ("Восток", words.REPS_EAST)):
        team = Team.objects.create(name=team_name)
        team.leaders.add(leads_all["manager"])
        for person in people:
            is_russian = team_name == "Восток"
            user = User.objects.create(
                email="rep@demo.test" if person == words.REPS_NORTH[0] else f"rep{len(reps) + 1}@demo.test",
                name=person,
                team=team,
                password=password,
                language="ru" if is_russian else "en",
            )
            reps.append(Rep(user, skill=rng.uniform(0.85, 1.1) + (0.45 if not reps else 0.0), is_russian=is_russian))
    return reps


def _dress_pipeline() -> list[Stage]:
    """Take the default pipeline and give its stages what an admin would have given them."""
    pipeline = create_default_pipeline(Pipeline.objects, Stage.objects, LossReason.objects)
    Pipeline.objects.filter(pk=pipeline.pk).update(name="Equipment sales", name_ru="Продажа оборудования")
    stages = list(pipeline.stages.live().select_related("pipeline"))
    for stage in stages:
        stage.playbook, stage.playbook_ru = words.PLAYBOOKS.get(stage.slug, ("", ""))
        stage.required_fields = words.REQUIRED.get(stage.slug, [])
        stage.save()
        for position, (name, name_ru, is_required) in enumerate(words.CHECKLISTS.get(stage.slug, ())):
            ChecklistItem.objects.create(
                stage=stage, name=name, name_ru=name_ru, is_required=is_required, position=position
            )
        if stage.slug in words.ENTRY_FOLLOW_UPS:
            _give_rule(stage)
    Product.objects.bulk_create(
        [Product(name=name, price=price) for name, _name_ru, price in words.PRODUCTS], ignore_conflicts=True
    )
    return stages


def _give_rule(stage: Stage) -> None:
    """A rule that plans a follow-up for deals that enter; nothing of the invented past fires it."""
    kind, name, name_ru, days = words.ENTRY_FOLLOW_UPS[stage.slug]
    given = FollowUpList.objects.create(name=f"After {stage.name}", name_ru=f"После этапа «{stage.name_ru}»")
    given.items.create(kind=kind, name=name, name_ru=name_ru, after_days=days, position=1)
    rule = StageRule.objects.create(
        stage=stage,
        name="Plan follow-ups",
        name_ru="Запланировать следующие шаги",
        is_active=True,
        active_since=timezone.now(),
    )
    StageAction.objects.create(rule=rule, kind="follow_ups", parameters={"list": given.pk}, position=1)
