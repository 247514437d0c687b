"""Choosing theme and language from the menu behind one's initials."""

from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from crm.forms.appearance import LanguageForm, ThemeForm
from crm.models import User
from crm.rules.appearance import choose_language, choose_theme
from crm.views.addresses import way_back
from crm.views.requests import PersonRequest

# So that the login page is painted as its person likes it, before it knows who comes.
_YEAR_SECONDS = 365 * 24 * 3600


@require_POST
def theme_choose(request: PersonRequest) -> HttpResponse:
    """Keep the theme chosen and go back to the page it was chosen on."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    theme = User.Theme(form.cleaned_data["theme"])
    choose_theme(_person(request), theme=theme)
    response = _back(request)
    response.set_cookie(
        "theme", theme, max_age=_YEAR_SECONDS, secure=request.is_secure(), httponly=True, samesite="Lax"
    )
    return response


@require_POST
def language_choose(request: PersonRequest) -> HttpResponse:
    """Keep the language chosen and show the same page in it."""
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    choose_language(_person(request), language=form.cleaned_data["language"])
    return _back(request)


def _person(request: PersonRequest) -> User:
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    return request.user


def _back(request: PersonRequest) -> HttpResponse:
    return redirect(way_back(request, "next") or "/")
