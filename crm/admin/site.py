"""The admin site itself: its name, and what it does not offer."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

admin.site.site_header = _("Voronka settings")
admin.site.site_title = _("Voronka settings")
admin.site.index_title = _("Settings")
admin.site.disable_action("delete_selected")
# What a person may do follows from their role, and they have the one address they log in by.
for unused in (Group, EmailAddress):
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)
