"""The addresses of the crm app, grouped by subject."""

from django.urls import URLPattern, URLResolver, path

from crm.views import activities, appearance, follow_ups

urlpatterns: list[URLPattern | URLResolver] = [
    # Activities
    path("activities/new/<slug:subject_kind>/<int:subject_pk>/", activities.activity_create, name="activity_create"),
    path("activities/<int:pk>/edit/", activities.activity_edit, name="activity_edit"),
    path("activities/<int:pk>/delete/", activities.activity_delete, name="activity_delete"),
    path("activities/<int:pk>/restore/", activities.activity_restore, name="activity_restore"),
    # Appearance
    path("me/theme/", appearance.theme_choose, name="theme_choose"),
    path("me/language/", appearance.language_choose, name="language_choose"),
    # Follow-ups
    path("follow-ups/new/", follow_ups.follow_up_new, name="follow_up_new"),
    path("follow-ups/subjects/", follow_ups.follow_up_subjects, name="follow_up_subjects"),
    path("follow-ups/new/<slug:subject_kind>/<int:subject_pk>/", follow_ups.follow_up_add, name="follow_up_add"),
    path("follow-ups/next/<slug:subject_kind>/<int:subject_pk>/", follow_ups.next_step, name="next_step"),
    path("follow-ups/<int:pk>/done/", follow_ups.follow_up_done, name="follow_up_done"),
    path("follow-ups/<int:pk>/next/", follow_ups.follow_up_next, name="follow_up_next"),
    path("follow-ups/<int:pk>/reopen/", follow_ups.follow_up_reopen, name="follow_up_reopen"),
    path("follow-ups/<int:pk>/snooze/", follow_ups.follow_up_snooze, name="follow_up_snooze"),
    path("follow-ups/<int:pk>/reschedule/", follow_ups.follow_up_reschedule, name="follow_up_reschedule"),
    path("follow-ups/<int:pk>/edit/", follow_ups.follow_up_edit, name="follow_up_edit"),
    path("follow-ups/<int:pk>/delete/", follow_ups.follow_up_delete, name="follow_up_delete"),
]
