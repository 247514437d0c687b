"""Addresses that exist while developing and in the demo, never in production."""

from django.urls import path

from crm.views import dev

urlpatterns = [
    path("pieces/", dev.samples, name="dev_pieces"),
    path("pieces/<slug:name>/", dev.samples, name="dev_sample"),
]
