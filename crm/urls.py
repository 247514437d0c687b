"""The addresses of the crm app, grouped by subject."""

from django.urls import URLPattern, URLResolver, path

from crm.views import activities

urlpatterns: list[URLPattern | URLResolver] = [
    # Activities
    path("activities/new/<slug:subject_kind>/<int:subject_pk>/", activities.activity_create, name="activity_create"),
    path("activities/<int:pk>/edit/", activities.activity_edit, name="activity_edit"),
    path("activities/<int:pk>/delete/", activities.activity_delete, name="activity_delete"),
    path("activities/<int:pk>/restore/", activities.activity_restore, name="activity_restore"),
]
