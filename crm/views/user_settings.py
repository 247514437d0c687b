"""A person's own settings."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.forms.user_settings import ChannelsForm, UserSettingsForm
from crm.models import Absence, ApiToken, User
from crm.rules.calendar_feed import feed_token_of
from crm.rules.user_settings import change_settings
from crm.views.requests import PersonRequest, posted


@require_http_methods(["GET", "HEAD", "POST"])
def user_settings(request: PersonRequest) -> HttpResponse:
    """Name, language, time zone, theme, channels and quiet hours; and the tokens of one's programs."""
    # A copy: the form writes what was typed into its instance, and the page around shows the person as they are.
    person = User.objects.get(pk=request.user.pk)
    form = UserSettingsForm(posted(request), instance=person)
    channels = ChannelsForm(posted(request), person=person)
    now = timezone.now()
    if request.method == "POST" and all([form.is_valid(), channels.is_valid()]):
        changed = change_settings(person, fields=form.said(), channels=channels.said(), by=request.user, now=now)
        with translation.override(changed.language):
            messages.success(request, _("Your settings are kept."))
        return redirect("user_settings")
    context = {
        "form": form,
        "channels": channels,
        "tokens": ApiToken.objects.of(request.user),
        "feed": feed_token_of(request.user, now=now),
        "absences": _absences_of(request.user),
        "today": timezone.localdate(),
        "now": now,
    }
    return render(request, "crm/user_settings.html", context, status=422 if form.errors or channels.errors else 200)


def _absences_of(person: User) -> QuerySet[Absence]:
    mine = Absence.objects.not_over(timezone.localdate()).filter(user=person)
    return mine.select_related("substitute").order_by("starts_on", "pk")
