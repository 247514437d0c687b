"""Who gets new leads: rules in an admin's order."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.accounts import Team, User
from crm.models.audit import audited
from crm.models.leads import Campaign, Lead, LeadSource
from crm.models.segments import Segment


class AssignmentRuleQuerySet(models.QuerySet["AssignmentRule"]):
    """Assignment rules, in the order in which they are asked."""

    def in_force(self) -> Self:
        """Rules that are asked, the first first, with what they ask for."""
        rules = self.filter(is_active=True).select_related("segment__owner", "team")
        return rules.order_by("position", "pk").prefetch_related("sources", "campaigns", "of_teams")


@audited(kind="assignment_rule", ignore=("turn",))
class AssignmentRule(models.Model):
    """Gives new leads that meet all its conditions to one of its people; where it finds nobody, the next is asked.

    A condition that names nothing is met by every lead.
    """

    class Method(models.TextChoices):
        """How one of the people is chosen."""

        TURN = "turn", _("in turn")
        LOAD = "load", _("whoever has the fewest open leads")
        PERSON = "person", _("always the same person")

    class AtWork(models.TextChoices):
        """Whether people have to be at work."""

        NOW = "now", _("only who is at work now; else the next rule is asked")
        NEXT = "next", _("who is at work now, else whoever begins first")
        ANY = "any", _("anybody, at work or not")

    name = models.CharField(_("name"), max_length=120, unique=True)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    is_active = models.BooleanField(_("in force"), default=True)
    sources = models.ManyToManyField(LeadSource, blank=True, related_name="+", verbose_name=_("of these sources"))
    campaigns = models.ManyToManyField(Campaign, blank=True, related_name="+", verbose_name=_("of these campaigns"))
    of_teams = models.ManyToManyField(
        Team, blank=True, related_name="+", verbose_name=_("that came in for these teams")
    )
    segment = models.ForeignKey(
        Segment,
        models.PROTECT,
        null=True,
        blank=True,
        limit_choices_to={"about": Segment.About.LEAD, "deleted_at": None},
        related_name="assignment_rules",
        verbose_name=_("in this segment"),
    )
    method = models.CharField(_("given to"), max_length=6, choices=Method.choices, default=Method.TURN)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("the reps of a team")
    )
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("and these people")
    )
    at_work = models.CharField(_("at work"), max_length=4, choices=AtWork.choices, default=AtWork.NEXT)
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    objects = AssignmentRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment rule")
        verbose_name_plural = _("assignment rules")
        ordering = ("position", "pk")
        constraints = (
            models.CheckConstraint(
                name="crm_assignment_rule_names_its_person",
                condition=~Q(method="person") | Q(person__isnull=False),
                violation_error_message=_("Say which person gets the leads."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def asks_for(self, lead: Lead) -> bool:
        """Whether source, campaign and team of the lead are those the rule names; its segment is another question."""
        wanted = (
            (lead.source_id, self.sources),
            (lead.campaign_id, self.campaigns),
            (lead.team_id, self.of_teams),
        )
        return all(not (keys := {row.pk for row in rows.all()}) or key in keys for key, rows in wanted)

    def candidates(self) -> list[User]:
        """The people who may get a lead: those named and the reps of the team, without those who left, by id."""
        if self.method == self.Method.PERSON:
            chosen = Q(pk=self.person_id)
        else:
            named = self.people.through.objects.filter(assignmentrule=self).values("user")
            chosen = Q(pk__in=named) | Q(team=self.team_id, team__isnull=False, role=User.Role.REP)
        people = User.objects.active().filter(chosen).exclude(role=User.Role.VIEWER)
        return list(people.select_related("team").order_by("pk"))


class AssignmentTurn(models.Model):
    """When one person last had their turn by a rule: the higher the number, the later."""

    rule = models.ForeignKey(AssignmentRule, models.CASCADE, related_name="turns")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    number = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        constraints = (models.UniqueConstraint(fields=("rule", "user"), name="crm_assignment_turn_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.number}"
