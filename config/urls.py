"""Every address of the site: each app lists its own."""

import importlib.util

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

from config.health import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]

APPS = ("metrics", "pipeline", "crm")
urlpatterns += [path("", include(f"{app}.urls")) for app in APPS if importlib.util.find_spec(f"{app}.urls")]

if (settings.IS_DEMO or settings.DEBUG) and importlib.util.find_spec("crm.urls_dev"):
    urlpatterns.append(path("dev/", include("crm.urls_dev")))
