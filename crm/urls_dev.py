"""Addresses that exist while developing and in the demo, never in production."""

from django.urls import path

from crm.views import dev, dev_mail

urlpatterns = [
    path("mail/", dev_mail.mail_list, name="dev_mails"),
    path("mail/<str:name>/", dev_mail.mail_detail, name="dev_mail"),
    path("mail/<str:name>/html/", dev_mail.mail_html, name="dev_mail_html"),
    path("pieces/", dev.samples, name="dev_pieces"),
    path("pieces/<slug:name>/", dev.samples, name="dev_sample"),
]
