"""What is asked before a lead counts as qualified, and what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.audit import audited
from crm.models.lead_forms import in_language
from crm.models.leads import Lead, LeadSource
from crm.models.personal import holds_personal
from crm.models.text import Bilingual

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User


class QualifyingQuestionQuerySet(models.QuerySet["QualifyingQuestion"]):
    """Questions, by whom they are asked about."""

    def live(self) -> Self:
        """Questions that are still asked."""
        return self.filter(is_archived=False)


class QualifyingQuestion(Bilingual):
    """One line of the checklist by which leads are qualified."""

    class Minimum(models.TextChoices):
        """What a lead needs before it is qualified."""

        NOTHING = "nothing", _("may stay open")
        ANSWER = "answer", _("must be answered")
        YES = "yes", _("must be answered with yes")

    hint = models.CharField(_("what to find out"), max_length=200, blank=True)
    hint_ru = models.CharField(_("what to find out, in Russian"), max_length=200, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    sources = models.ManyToManyField(
        LeadSource,
        blank=True,
        related_name="qualifying_questions",
        verbose_name=_("only for these sources"),
        help_text=_("None: for every lead."),
    )
    minimum = models.CharField(_("to qualify a lead"), max_length=7, choices=Minimum.choices, default=Minimum.NOTHING)
    is_archived = models.BooleanField(_("archived"), default=False)

    objects = QualifyingQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("qualifying question")
        verbose_name_plural = _("qualifying questions")
        ordering = ("position", "pk")

    @property
    def guidance(self) -> str:
        """The hint in the language being spoken; the English one where the Russian is empty."""
        return in_language(self.hint, self.hint_ru)


class QualifyingAnswerQuerySet(models.QuerySet["QualifyingAnswer"]):
    """Answers, seen and changed by who sees and changes the lead."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Answers about leads that `user` may read."""
        return self.filter(lead__in=Lead.objects.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Answers about leads that `user` may change."""
        return self.filter(lead__in=Lead.objects.editable_by(user))


@holds_personal(keys=("lead",), blanks=("note",))
@audited(kind="qualifying_answer")
class QualifyingAnswer(models.Model):
    """What is known about one question for one lead."""

    class Answer(models.TextChoices):
        """What was found out."""

        YES = "yes", pgettext_lazy("answer", "Yes")
        NO = "no", pgettext_lazy("answer", "No")
        UNKNOWN = "unknown", pgettext_lazy("answer", "Not known")

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="qualifying_answers")
    question = models.ForeignKey(QualifyingQuestion, models.PROTECT, related_name="answers", verbose_name=_("question"))
    answer = models.CharField(_("answer"), max_length=7, choices=Answer.choices, default=Answer.UNKNOWN)
    note = models.CharField(_("note"), max_length=500, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered"))

    objects = QualifyingAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("qualifying answer")
        verbose_name_plural = _("qualifying answers")
        constraints = (models.UniqueConstraint(fields=("lead", "question"), name="crm_qualifying_answer_once"),)

    def __str__(self) -> str:
        return f"{self.question}: {self.get_answer_display()}"
