"""Several deals chosen on the board or in the list, as they were seen, and where they go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import User
from pipeline.models import Deal, Pipeline, Stage
from pipeline.rules.moving_together import MOST, Seen


class ChosenRecords(forms.MultipleChoiceField):
    """Records as "id:version", each as it was seen."""

    default_error_messages = {"required": _("Choose some first.")}

    def validate(self, value: list[str]) -> None:
        """Numbers alone: whether they exist is asked of the database, with who may see them."""
        if not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if len(value) > MOST:
            raise forms.ValidationError(_("Choose %(most)s at most."), code="many", params={"most": MOST})
        for one in value:
            if not all(part.isdecimal() and len(part) <= 9 for part in one.split(":")) or one.count(":") != 1:
                raise forms.ValidationError(
                    self.error_messages["invalid_choice"], params={"value": one}, code="invalid"
                )

    def clean(self, value: Any) -> dict[int, int]:
        """The version seen of each."""
        pairs = (one.split(":") for one in super().clean(value))
        return {int(pk): int(version) for pk, version in pairs}


class MoveTogetherForm(forms.Form):
    """Where the chosen deals go. No won stage: winning asks each for its real amount and day."""

    chosen = ChosenRecords()
    to = forms.ModelChoiceField(Stage.objects.none(), label=_("Stage"))
    key = forms.CharField(required=False, max_length=48)

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.by = by
        pipelines = Pipeline.objects.visible_to(by)
        stages = Stage.objects.live().filter(pipeline__in=pipelines.order_by())
        self.fields["to"].queryset = stages  # type: ignore[attr-defined]

    def clean_to(self) -> Stage:
        """A stage that is not won: a card among the chosen may be dragged there."""
        to: Stage = self.cleaned_data["to"]
        if to.is_won:
            raise forms.ValidationError(_("Win deals one by one: each is asked for its amount and day."), code="won")
        return to

    def seen(self) -> list[Seen]:
        """The chosen deals that the person sees, in the order in which they were named."""
        return seen_deals(self.cleaned_data["chosen"], self.by)


def seen_deals(chosen: dict[int, int], by: User) -> list[Seen]:
    """Return those of `chosen` (versions by id) that `by` sees, in its order."""
    deals = Deal.objects.visible_to(by).select_related("stage").in_bulk(list(chosen))
    return [Seen(deals[pk], version) for pk, version in chosen.items() if pk in deals]
