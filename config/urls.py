"""Every address of the site: each app lists its own."""

import importlib.util

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver
from django.views.i18n import set_language

from config import api
from config.adapters import closed_door
from config.health import healthz, readyz

# The one login, with its throttle and second factor; the admin's own would know neither.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("accounts/email/", closed_door),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    # The login page is read in one's language before one is known.
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
]

APPS = ("metrics", "pipeline", "crm")
urlpatterns += [path("", include(f"{app}.urls")) for app in APPS if importlib.util.find_spec(f"{app}.urls")]

if (settings.IS_DEMO or settings.DEBUG) and importlib.util.find_spec("crm.urls_dev"):
    urlpatterns.append(path("dev/", include("crm.urls_dev")))
