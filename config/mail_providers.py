"""Mail providers that take mail by their own interface instead of SMTP, and the settings that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """One provider: the settings without which nothing leaves, and those one may give; `hook` hears its reports."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...]
    hook: str


PROVIDERS: Mapping[str, Provider] = {
    "brevo": Provider(("BREVO_API_KEY",), ("BREVO_API_URL",), "brevo.BrevoTrackingWebhookView"),
    "mailgun": Provider(
        ("MAILGUN_API_KEY",),
        ("MAILGUN_API_URL", "MAILGUN_SENDER_DOMAIN", "MAILGUN_WEBHOOK_SIGNING_KEY"),
        "mailgun.MailgunTrackingWebhookView",
    ),
    "mailjet": Provider(
        ("MAILJET_API_KEY", "MAILJET_SECRET_KEY"), ("MAILJET_API_URL",), "mailjet.MailjetTrackingWebhookView"
    ),
    "mandrill": Provider(
        ("MANDRILL_API_KEY",),
        ("MANDRILL_API_URL", "MANDRILL_WEBHOOK_KEY", "MANDRILL_WEBHOOK_URL"),
        "mandrill.MandrillCombinedWebhookView",
    ),
    "postmark": Provider(
        ("POSTMARK_SERVER_TOKEN",),
        ("POSTMARK_API_URL", "POSTMARK_MESSAGE_STREAM"),
        "postmark.PostmarkTrackingWebhookView",
    ),
    "resend": Provider(("RESEND_API_KEY",), ("RESEND_API_URL",), "resend.ResendTrackingWebhookView"),
    "sendgrid": Provider(
        ("SENDGRID_API_KEY",),
        ("SENDGRID_API_URL", "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY"),
        "sendgrid.SendGridTrackingWebhookView",
    ),
    "sparkpost": Provider(
        ("SPARKPOST_API_KEY",), ("SPARKPOST_API_URL", "SPARKPOST_SUBACCOUNT"), "sparkpost.SparkPostTrackingWebhookView"
    ),
    "unisender_go": Provider(
        ("UNISENDER_GO_API_KEY", "UNISENDER_GO_API_URL"), (), "unisender_go.UnisenderGoTrackingWebhookView"
    ),
}


def what_is_wrong(name: str, given: Mapping[str, str]) -> str:
    """Return why the provider cannot be used as the environment stands, in a sentence; "" if it can."""
    if name not in PROVIDERS:
        return f"EMAIL_PROVIDER is {name!r}; it must be one of {', '.join(PROVIDERS)}, or empty."
    missing = [key for key in PROVIDERS[name].needs if not given.get(key)]
    return f"EMAIL_PROVIDER is {name!r}, which also needs {', '.join(missing)}." if missing else ""


def settings_of(name: str, given: Mapping[str, str], *, seconds: int) -> dict[str, object]:
    """Return what django-anymail wants to know of the provider."""
    provider = PROVIDERS[name]
    chosen = {key: given[key] for key in (*provider.needs, *provider.may_have) if given.get(key)}
    return {**chosen, "REQUESTS_TIMEOUT": (min(seconds, 10), seconds)}
