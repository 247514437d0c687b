"""Lead forms as strangers meet them, over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from crm.models import Activity, AuditEntry, Campaign, ConsentText, Lead, LeadForm, OutboxRow, Submission, User
from crm.rules.delivering import deliver_due
from tests.factories import LeadFormFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
ANNA = {"name": "Anna Berg", "email": "Anna@Berg.test", "message": "Please call"}


@pytest.fixture
def form() -> LeadForm:
    return LeadFormFactory(slug="contact", name="Contact us", sites=["https://shop.test"])


def token_at(moment: dt.datetime, client: Client | None = None, query: str = "") -> str:
    """Look at the form at `moment`, as a visitor does."""
    with time_machine.travel(moment, tick=False):
        page = (client or Client()).get(f"/f/contact/{query}")
    return str(page.context["visitor"]["token"].value())


def send(said: dict[str, Any], *, after: float = 10, query: str = "", **headers: Any) -> Any:
    """Fill in the form in `after` seconds and send it."""
    token = token_at(NOON)
    with time_machine.travel(NOON + dt.timedelta(seconds=after), tick=False):
        return Client().post(f"/f/contact/{query}", {"token": token, **said}, **headers)


def test_a_stranger_becomes_a_lead(form: LeadForm) -> None:
    form.source = LeadSourceFactory(name="Website")
    form.save()
    sent = send({**ANNA, "staff": "12", "utm_source": "ads", "utm_campaign": "May", "referrer": "https://news.test/a"})

    assert (sent.status_code, sent["Location"]) == (302, "/f/contact/thanks/")
    lead = Lead.objects.get()
    assert (lead.name, lead.email, lead.message, lead.source, lead.owner) == (
        "Anna Berg", "Anna@Berg.test", "Please call", form.source, None,
    )  # fmt: skip
    submission = Submission.objects.get()
    assert (submission.state, submission.lead, submission.utm) == ("taken", lead, {"source": "ads", "campaign": "May"})
    assert submission.referrer == "https://news.test/a"
    assert submission.answers[-1] == {"key": "staff", "label": "How many are you?", "value": "12"}
    touch = Activity.objects.get()
    assert (touch.direction, touch.subject, touch.author) == ("in", lead, None)
    assert "How many are you?: 12" in touch.body
    assert lead.first_response_at is None
    assert AuditEntry.objects.about("lead", lead.pk).last().through == "form"


def test_public_pages_keep_nothing_of_a_visitor_and_say_so(form: LeadForm) -> None:
    page = Client().get("/f/contact/")

    assert page.status_code == 200
    assert not page.cookies
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_a_frame_is_for_the_sites_on_the_list(form: LeadForm) -> None:
    page = Client().get("/f/contact/embed/")

    assert "frame-ancestors https://shop.test" in page["Content-Security-Policy"]
    assert "X-Frame-Options" not in page
    form.sites = []
    form.save()
    assert "frame-ancestors 'none'" in Client().get("/f/contact/embed/")["Content-Security-Policy"]


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(form: LeadForm) -> None:
    sent = send({"name": "", "email": "anna", "message": "Please call"})

    assert sent.status_code == 422
    page = sent.content.decode()
    assert "Please call" in page
    assert 'id="id_name_error"' in page
    assert 'id="id_email_error"' in page
    assert Submission.objects.count() == 0


@pytest.mark.parametrize(
    "said", [{"name": "A\x00nna"}, {"name": "x" * 10_000}, {"name": "Anna", "message": "x" * 10_001}]
)
def test_what_cannot_be_stored_is_refused_beside_the_field(form: LeadForm, said: dict[str, str]) -> None:
    assert send(said).status_code == 422
    assert Lead.objects.count() == 0


def test_marks_that_turn_text_are_dropped_and_ten_thousand_letters_kept(form: LeadForm) -> None:
    send({"name": "\u202eAnna\u2069 Berg", "message": "ё" * 10_000, "utm_source": "a\x00\u202eb" * 500})

    lead = Lead.objects.get()
    assert (lead.name, len(lead.message)) == ("Anna Berg", 10_000)
    assert lead.submissions.get().utm["source"] == ("ab" * 500)[:200]


def test_markup_is_text(form: LeadForm, admin: User) -> None:
    send({"name": "<img src=x onerror=alert(1)>", "staff": "<script>alert(1)</script>"})
    client = Client()
    client.force_login(admin)

    page = client.get(Lead.objects.get().get_absolute_url()).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_a_body_larger_than_any_form_is_refused_unread(form: LeadForm) -> None:
    assert Client().post("/f/contact/", {"name": "x" * 300_000}).status_code == 413
    api = Client().post("/f/contact/api/", "x" * 300_000, content_type="application/json")
    assert api.status_code == 413


# --- Spam ---------------------------------------------------------------------------------------------------------


def test_who_fills_in_the_trap_is_kept_out_unawares(form: LeadForm) -> None:
    sent = send({**ANNA, "website_address": "https://spam.test"})

    assert (sent.status_code, sent["Location"]) == (302, "/f/contact/thanks/")
    assert Lead.objects.count() == 0
    assert Submission.objects.get().reason == "trap"


def test_who_is_quicker_than_people_is_kept_out(form: LeadForm) -> None:
    send(ANNA, after=1)
    assert Submission.objects.get().reason == "hurry"


def test_a_form_without_our_token_is_shown_filled_in_and_then_taken(form: LeadForm) -> None:
    with time_machine.travel(NOON, tick=False):
        shown = Client().post("/f/contact/", ANNA, headers={"Referer": "https://shop.test/"})
    assert shown.status_code == 200
    assert "Anna Berg" in shown.content.decode()
    assert Submission.objects.count() == 0
    token = shown.context["visitor"]["token"].value()
    with time_machine.travel(NOON + dt.timedelta(seconds=2), tick=False):
        Client().post("/f/contact/", {**ANNA, "token": token, "referrer": shown.context["visitor"]["referrer"].value()})

    assert Lead.objects.get().submissions.get().referrer == "https://shop.test/"


@pytest.mark.parametrize("token", ["", "forged", "old", "another form's"])
def test_only_a_fresh_token_of_this_form_counts(form: LeadForm, token: str) -> None:
    if token == "old":
        token = token_at(NOON - dt.timedelta(hours=25))
    elif token == "another form's":
        LeadForm.objects.update(slug="other")
        LeadFormFactory(slug="contact")
        token = token_at(NOON)
        LeadForm.objects.filter(slug="contact").update(slug="third")
        LeadForm.objects.filter(slug="other").update(slug="contact")
    with time_machine.travel(NOON + dt.timedelta(seconds=9), tick=False):
        assert Client().post("/f/contact/", {**ANNA, "token": token}).status_code == 200
    assert Submission.objects.count() == 0


def test_limits_keep_out_and_at_last_shut_the_door(form: LeadForm) -> None:
    form.most_by_address = 2
    form.save()
    answers = [send({"name": f"Visitor {number}"}).status_code for number in range(11)]

    assert answers == [302] * 10 + [429]
    assert (Lead.objects.count(), Submission.objects.filter(reason="address").count()) == (2, 8)


def test_the_limit_of_a_form_is_over_all_addresses(form: LeadForm) -> None:
    form.most_an_hour = 1
    form.save()
    for number in range(2):
        send({"name": f"Visitor {number}"}, REMOTE_ADDR=f"10.0.0.{number}")

    assert Submission.objects.get(state="kept_out").reason == "form"


def test_the_address_is_what_the_trusted_proxy_saw(form: LeadForm, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for forged in ("1.1.1.1", "2.2.2.2"):
        send({"name": forged}, headers={"X-Forwarded-For": f"{forged}, 203.0.113.9"})
    send({"name": "no proxy"})

    marks = list(Submission.objects.order_by("pk").values_list("address_mark", flat=True))
    assert marks[0] == marks[1] != marks[2]
    assert "203.0.113.9" not in marks[0]


# --- The same visitor again ---------------------------------------------------------------------------------------


def test_the_same_visitor_adds_to_the_lead_that_is_alive(form: LeadForm) -> None:
    send(ANNA)
    send({"name": "A. Berg", "email": " anna@berg.TEST", "message": "And on Friday?"}, after=3000)

    lead = Lead.objects.get()
    assert [touch.body for touch in Activity.objects.order_by("pk")][1].endswith("And on Friday?")
    assert (lead.name, lead.submissions.count()) == ("Anna Berg", 2)


def test_the_same_phone_is_the_same_visitor_however_written(form: LeadForm, settings: Any) -> None:
    send({"name": "Anna", "phone": "+371 2000-0001"})
    send({"name": "Anna", "phone": "00371 20000001", "message": "again"})
    send({"name": "Boris", "phone": "+371 2000-0002"})

    assert sorted(Lead.objects.values_list("name", flat=True)) == ["Anna", "Boris"]


def test_a_shared_phone_is_no_shared_person(form: LeadForm) -> None:
    for name in ("anna", "boris"):
        send({"name": name, "email": f"{name}@berg.test", "phone": "+371 2000 0001"})

    assert Lead.objects.count() == 2


def test_a_second_click_adds_no_line_to_the_timeline(form: LeadForm) -> None:
    for _click in range(3):
        send({"name": "Anna", "message": "Hello"})

    assert (Lead.objects.count(), Activity.objects.count(), Submission.objects.count()) == (1, 1, 3)


@pytest.mark.parametrize("closed", ["disqualified", "converted", "deleted"])
def test_who_comes_back_after_their_lead_was_closed_is_a_new_lead(form: LeadForm, closed: str) -> None:
    send(ANNA)
    if closed == "deleted":
        Lead.objects.update(deleted_at=timezone.now())
    else:
        Lead.objects.update(status=closed, **{f"{closed}_at": timezone.now()})
    send({**ANNA, "message": "Again"})

    assert Lead.objects.count() == 2


# --- Consent, owner, languages ------------------------------------------------------------------------------------


def test_the_consent_that_was_shown_is_the_one_kept(form: LeadForm) -> None:
    LeadForm.objects.update(consent="You may write to me.", consent_ru="Пишите мне.")
    refused = send(ANNA)
    assert refused.status_code == 422
    assert refused.context["visitor"].errors["consent"]
    token = token_at(NOON)
    LeadForm.objects.update(consent="You may write and call me.")
    with time_machine.travel(NOON + dt.timedelta(seconds=9), tick=False):
        Client().post("/f/contact/", {**ANNA, "token": token, "consent": "on"})

    submission = Submission.objects.get()
    assert submission.consent is not None
    assert (submission.consent.number, submission.consent.text) == (1, "You may write to me.")
    assert list(ConsentText.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_looking_at_a_form_writes_nothing(form: LeadForm, django_assert_max_num_queries: Any) -> None:
    LeadForm.objects.update(consent="You may write to me.")
    with django_assert_max_num_queries(4):
        assert Client().get("/f/contact/").status_code == 200
    assert ConsentText.objects.count() == 0


def test_a_team_takes_turns(form: LeadForm, rep: User, colleague: User) -> None:
    LeadForm.objects.update(owner_rule="team", team=rep.team)
    for number in range(4):
        send({"name": f"Visitor {number}"})
    owners = list(Lead.objects.order_by("pk").values_list("owner", flat=True))
    assert owners == [*sorted((rep.pk, colleague.pk)), *sorted((rep.pk, colleague.pk))]


def test_a_person_who_left_gets_no_leads(form: LeadForm, rep: User) -> None:
    LeadForm.objects.update(owner_rule="person", owner=rep)
    send({"name": "First"})
    User.objects.filter(pk=rep.pk).update(is_active=False)
    send({"name": "Second"})

    assert list(Lead.objects.order_by("pk").values_list("owner", flat=True)) == [rep.pk, None]


def test_utm_names_the_campaign(form: LeadForm) -> None:
    fair = Campaign.objects.create(name="Spring fair", source=LeadSourceFactory(name="Fairs"))
    send({"name": "Anna", "utm_campaign": "spring FAIR"})

    lead = Lead.objects.get()
    assert (lead.campaign, lead.source) == (fair, fair.source)


def test_the_form_speaks_the_visitors_language_as_far_as_it_can(form: LeadForm) -> None:
    assert "Имя" in Client().get("/f/contact/?lang=ru").content.decode()
    assert "Имя" in Client(headers={"Accept-Language": "ru"}).get("/f/contact/").content.decode()
    LeadForm.objects.update(languages="en")
    assert "Имя" not in Client().get("/f/contact/?lang=ru").content.decode()


def test_a_form_that_is_off_is_not_there(form: LeadForm) -> None:
    LeadForm.objects.update(is_active=False)
    for address in ("/f/contact/", "/f/contact/embed/", "/f/contact/thanks/", "/f/contact/api/"):
        assert Client().get(address).status_code == 404


# --- Afterwards ---------------------------------------------------------------------------------------------------


def test_visitors_are_sent_only_to_sites_on_the_list(form: LeadForm) -> None:
    LeadForm.objects.update(redirect_url="https://shop.test/thanks")
    sent = send(ANNA)
    assert sent["Location"] == "https://shop.test/thanks"
    assert "form-action 'self' https://shop.test" in Client().get("/f/contact/")["Content-Security-Policy"]
    LeadForm.objects.update(redirect_url="https://evil.test/")
    assert send(ANNA)["Location"] == "/f/contact/thanks/"


def test_the_automatic_answer_says_what_the_admin_wrote_and_is_no_answer(form: LeadForm) -> None:
    LeadForm.objects.update(reply_subject="Thank you", reply="We answer within an hour.")
    send({**ANNA, "name": "Cheap pills", "message": "http://spam.test"})
    send({**ANNA, "name": "Cheap pills", "message": "http://spam.test again"})
    assert OutboxRow.objects.get().payload == {"submission": Submission.objects.earliest("pk").pk}
    deliver_due(seconds=5)

    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == (["Anna@Berg.test"], "Thank you", "We answer within an hour.")
    assert sent.extra_headers["Auto-Submitted"] == "auto-replied"
    lead = Lead.objects.get()
    assert (lead.status, lead.first_response_at) == ("new", None)
    shown = lead.activities.get(kind="email")
    assert (shown.title, shown.body, shown.is_automatic) == ("Thank you", "We answer within an hour.", True)
    assert not lead.activities.outbound().exists()


def test_an_operator_reads_whom_it_answered(form: LeadForm, admin: User) -> None:
    LeadForm.objects.update(reply_subject="Thank you", reply="We answer within an hour.")
    send(ANNA)
    row = OutboxRow.objects.get(kind="form_reply")
    client = Client()
    client.force_login(admin)

    for address in ("/operations/rows/?q=anna@berg", f"/operations/rows/{row.pk}/"):
        assert "Anna@Berg.test" in client.get(address).text
