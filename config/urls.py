"""Every address of the site: each app lists its own."""

import importlib.util

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver
from django.views.i18n import set_language

from config.health import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # The login page is read in one's language before one is known.
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
]

APPS = ("metrics", "pipeline", "crm")
urlpatterns += [path("", include(f"{app}.urls")) for app in APPS if importlib.util.find_spec(f"{app}.urls")]

if (settings.IS_DEMO or settings.DEBUG) and importlib.util.find_spec("crm.urls_dev"):
    urlpatterns.append(path("dev/", include("crm.urls_dev")))
