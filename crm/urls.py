"""The addresses of the crm app, grouped by subject."""

from django.urls import URLPattern, URLResolver, path

from crm.views import (
    activities,
    appearance,
    choosers,
    companies,
    erasing,
    follow_ups,
    lead_form_api,
    lead_forms,
    leads,
    notifications,
    operations,
    segment_builder,
    segments,
    submissions,
    tokens,
    unsubscribing,
    user_settings,
)

urlpatterns: list[URLPattern | URLResolver] = [
    # Activities
    path("activities/new/<slug:subject_kind>/<int:subject_pk>/", activities.activity_create, name="activity_create"),
    path("activities/<int:pk>/edit/", activities.activity_edit, name="activity_edit"),
    path("activities/<int:pk>/delete/", activities.activity_delete, name="activity_delete"),
    path("activities/<int:pk>/restore/", activities.activity_restore, name="activity_restore"),
    # Companies and contacts
    path("companies/new/", companies.company_create, name="company_create"),
    path("companies/<int:pk>/edit/", companies.company_edit, name="company_edit"),
    path("companies/<int:pk>/delete/", companies.company_delete, name="company_delete"),
    path("companies/<int:pk>/restore/", companies.company_restore, name="company_restore"),
    path("contacts/new/", companies.contact_create, name="contact_create"),
    path("contacts/<int:pk>/edit/", companies.contact_edit, name="contact_edit"),
    path("contacts/<int:pk>/delete/", companies.contact_delete, name="contact_delete"),
    path("contacts/<int:pk>/restore/", companies.contact_restore, name="contact_restore"),
    # A person's data, on their request
    path("people/<slug:subject_kind>/<int:pk>/erase/", erasing.person_erase, name="person_erase"),
    path("people/<slug:subject_kind>/<int:pk>/copy/", erasing.person_copy, name="person_copy"),
    # Choosers
    path("choose/companies/", choosers.choose_companies, name="choose_companies"),
    path("choose/contacts/", choosers.choose_contacts, name="choose_contacts"),
    # The queue
    path("operations/", operations.operations, name="operations"),
    path("operations/rows/", operations.outbox_list, name="outbox_list"),
    path("operations/rows/<int:pk>/", operations.outbox_detail, name="outbox_detail"),
    path("operations/rows/<int:pk>/retry/", operations.outbox_row_retry, name="outbox_row_retry"),
    path("operations/rows/<int:pk>/cancel/", operations.outbox_row_cancel, name="outbox_row_cancel"),
    path("operations/rows/<int:pk>/settle/", operations.outbox_row_settle, name="outbox_row_settle"),
    path("operations/<slug:kind>/pause/", operations.outbox_pause, name="outbox_pause"),
    path("operations/<slug:kind>/resume/", operations.outbox_resume, name="outbox_resume"),
    path("operations/<slug:kind>/retry/", operations.outbox_retry, name="outbox_retry"),
    # The door out of our mail
    path("unsubscribe/<str:secret>/", unsubscribing.unsubscribe, name="unsubscribe"),
    # Appearance
    path("me/theme/", appearance.theme_choose, name="theme_choose"),
    path("me/language/", appearance.language_choose, name="language_choose"),
    # Settings of one's own
    path("settings/", user_settings.user_settings, name="user_settings"),
    path("settings/tokens/new/", tokens.api_token_create, name="api_token_create"),
    path("settings/tokens/<int:pk>/revoke/", tokens.api_token_revoke, name="api_token_revoke"),
    # Lead forms, open to everybody
    path("f/embed.js", lead_forms.lead_form_script, name="lead_form_script"),
    path("f/<slug:slug>/", lead_forms.lead_form, name="lead_form"),
    path("f/<slug:slug>/embed/", lead_forms.lead_form_embed, name="lead_form_embed"),
    path("f/<slug:slug>/thanks/", lead_forms.lead_form_thanks, name="lead_form_thanks"),
    path("f/<slug:slug>/api/", lead_form_api.lead_form_api, name="lead_form_api"),
    # What they kept out
    path("submissions/", submissions.submission_list, name="submission_list"),
    path("submissions/<int:pk>/release/", submissions.submission_release, name="submission_release"),
    path("submissions/<int:pk>/throw-out/", submissions.submission_throw_out, name="submission_throw_out"),
    path("submissions/<int:pk>/keep/", submissions.submission_keep, name="submission_keep"),
    # Notifications
    path("notifications/", notifications.notification_list, name="notification_list"),
    path("live/", notifications.live, name="live"),
    path("notifications/bell/", notifications.notification_bell, name="notification_bell"),
    path("notifications/read/", notifications.notification_read_all, name="notification_read_all"),
    path("notifications/<int:pk>/open/", notifications.notification_open, name="notification_open"),
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
    # Leads
    path("leads/new/", leads.lead_create, name="lead_create"),
    path("leads/<int:pk>/edit/", leads.lead_edit, name="lead_edit"),
    path("leads/<int:pk>/assign/", leads.lead_assign, name="lead_assign"),
    path("leads/<int:pk>/claim/", leads.lead_claim, name="lead_claim"),
    path("leads/<int:pk>/qualify/", leads.lead_qualify, name="lead_qualify"),
    path("leads/<int:pk>/reopen/", leads.lead_reopen, name="lead_reopen"),
    path("leads/<int:pk>/disqualify/", leads.lead_disqualify, name="lead_disqualify"),
    path("leads/<int:pk>/nurture/", leads.lead_nurture, name="lead_nurture"),
    path("leads/<int:pk>/delete/", leads.lead_delete, name="lead_delete"),
    path("leads/<int:pk>/restore/", leads.lead_restore, name="lead_restore"),
    # Segments
    path("segments/", segments.segment_list, name="segment_list"),
    path("segments/new/<slug:about>/", segment_builder.segment_create, name="segment_create"),
    path("segments/preview/<slug:about>/", segment_builder.segment_preview, name="segment_preview"),
    path("segments/<int:pk>/edit/", segment_builder.segment_edit, name="segment_edit"),
    path("segments/<int:pk>/count/", segments.segment_count, name="segment_count"),
    path("segments/<int:pk>/duplicate/", segments.segment_duplicate, name="segment_duplicate"),
    path("segments/<int:pk>/share/", segments.segment_share, name="segment_share"),
    path("segments/<int:pk>/delete/", segments.segment_delete, name="segment_delete"),
    path("segments/<int:pk>/restore/", segments.segment_restore, name="segment_restore"),
]
