"""Several deals chosen on a board, as they were seen, and where they go."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import User
from pipeline.models import Deal, Pipeline, Stage
from pipeline.rules.closing_months import NONE, months_ahead
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


class TogetherForm(forms.Form):
    """The chosen deals; `to` says where they go."""

    chosen = ChosenRecords()
    key = forms.CharField(required=False, max_length=48)

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.by = by

    def seen(self) -> list[Seen]:
        """The chosen deals that the person sees, in the order in which they were named."""
        chosen = self.cleaned_data["chosen"]
        deals = Deal.objects.visible_to(self.by).select_related("stage", "owner").in_bulk(list(chosen))
        return [Seen(deals[pk], version) for pk, version in chosen.items() if pk in deals]


class MoveTogetherForm(TogetherForm):
    """To which stage. No won one: winning asks each for its real amount and day."""

    to = forms.ModelChoiceField(Stage.objects.none(), label=_("Stage"))

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        pipelines = Pipeline.objects.visible_to(by)
        stages = Stage.objects.live().filter(pipeline__in=pipelines.order_by())
        self.fields["to"].queryset = stages  # type: ignore[attr-defined]

    def clean_to(self) -> Stage:
        """A stage that is not won: a card among the chosen may be dragged there."""
        to: Stage = self.cleaned_data["to"]
        if to.is_won:
            raise forms.ValidationError(_("Win deals one by one: each is asked for its amount and day."), code="won")
        return to


class HandOverTogetherForm(TogetherForm):
    """To whom."""

    to = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Owner"),
        error_messages={"invalid_choice": _("This person takes no deals any more; choose another.")},
    )

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        self.fields["to"].queryset = User.objects.assignable_by(by)  # type: ignore[attr-defined]


class RedateTogetherForm(TogetherForm):
    """To which of the months told apart, or to no day: what lies before and after them wants a day of each deal."""

    to = forms.ChoiceField(
        label=_("Month"),
        error_messages={"invalid_choice": _("Choose a month that is told apart: each deal keeps its day of it.")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = timezone.localdate()
        self.months = {f"{month:%Y-%m}": month for month in months_ahead(self.today)[:-1]}
        self.fields["to"].choices = [(key, key) for key in (*self.months, NONE)]  # type: ignore[attr-defined]

    def clean_to(self) -> dt.date | None:
        """The first day of the month; None for no day."""
        return self.months.get(self.cleaned_data["to"])
