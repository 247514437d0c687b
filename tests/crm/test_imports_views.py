"""The import wizard as a person goes through it: upload, columns, check, import, error file, taking back."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Contact, ImportChunk, ImportFile, ImportRun, Lead, Notification, User
from crm.rules.delivering import deliver_due
from crm.rules.importing.uploading import forget_uploads
from pipeline.models import Deal, Pipeline
from tests.factories import CompanyFactory, ContactFactory, LeadFactory, TeamFactory
from tests.wizard import LEADS, answers, check, client_of, counts, start, upload

pytestmark = pytest.mark.django_db


def test_a_file_goes_all_the_way_in(rep: User) -> None:
    client = client_of(rep)
    run = upload(client, LEADS)
    page = client.get(run.get_absolute_url(), follow=True)
    assert "Anna Berg" in page.content.decode()
    assert page.context["form"].answers.targets == ("name", "email", "company", "source")

    check(client, run)
    assert run.state == "checked"
    assert not Lead.objects.exists()
    found = client.get(run.get_absolute_url()).content.decode()
    assert "Import 2 rows" in found

    start(client, run)
    assert (run.state, counts(run)) == ("done", (2, 0, 0, 0))
    assert set(Lead.objects.values_list("name", "owner", "company_name")) == {
        ("Anna Berg", rep.pk, "Berg AG"),
        ("Boris Kim", rep.pk, "Kim"),
    }
    deliver_due(seconds=5)
    notice = Notification.objects.get(user=rep)
    assert (notice.kind, notice.subject) == ("import", run)
    assert client.get(run.get_absolute_url()).status_code == 200

    client.post(reverse("import_undo", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "undone"
    assert not Lead.objects.exists()


def test_the_check_says_what_the_import_will_remark_and_the_bar_keeps_its_counts(rep: User) -> None:
    LeadFactory(owner=rep)
    client = client_of(rep)
    file = "First Name,Email,Associated Company IDs\nAnna,anna@a.test,5\nBoris,boris@b.test,6\n"
    run = check(client, upload(client, file, kind="contacts"))
    remark = "2 rows name a company by an id that nobody here has"
    page = client.get(run.get_absolute_url())
    assert page.context["badges"].leads == 1
    assert remark in page.content.decode()
    assert '<span class="count">1</span>' in page.content.decode()
    assert remark in start(client, run).warnings[0]


def test_what_a_lead_wrote_comes_along(rep: User) -> None:
    client = client_of(rep)
    file = 'External ID,Contact Name,Email,Salesperson,Notes\n1,Anna Berg,a@berg.test,,"Two belts,\nplease"\n'
    start(client, check(client, upload(client, file, kind="leads")))
    assert Lead.objects.get().message == "Two belts,\nplease"


def test_dates_that_could_be_read_in_two_ways_are_asked_about(rep: User) -> None:
    client = client_of(rep)
    run = upload(client, "Name,Created\nAnna,03/04/2024\nBoris,05/06/2024\n", kind="leads")
    page = client.get(reverse("import_columns", args=[run.pk]))
    assert "“03/04/2024”" in page.content.decode()
    refused = client.post(reverse("import_columns", args=[run.pk]), answers(client, run))
    assert refused.status_code == 422
    assert "date_format" in refused.context["form"].errors

    start(client, check(client, run, date_format="dmy"))
    assert Lead.objects.get(name="Anna").created_at.date() == dt.date(2024, 4, 3)


def test_numbers_and_unknown_words_are_asked_about(rep: User, sales: Pipeline) -> None:
    client = client_of(rep)
    run = upload(
        client, "Deal name;Deal owner;Amount;Deal stage\nBelt;Rita Rep;1.054;Angebot\nDryer;Nobody;2.100;proposal\n"
    )
    form = client.get(reverse("import_columns", args=[run.pk])).context["form"]
    assert form.asks_numbers
    assert [(strange.ask.column, strange.word) for strange in form.strange] == [
        ("stage", "Angebot"),
        ("owner", "Nobody"),
    ]
    words = [field.name for field in form.words]
    start(client, check(client, run, decimal_mark=",", **{words[0]: "negotiation", words[1]: "-"}))
    assert set(Deal.objects.values_list("name", "stage__slug", "amount", "owner__name")) == {
        ("Belt", "negotiation", 1054, "Rita Rep"),
        ("Dryer", "proposal", 2100, "Rita Rep"),
    }


def test_columns_chosen_otherwise_show_in_the_preview(rep: User) -> None:
    client = client_of(rep)
    run = upload(client, "who,where\nAnna,Berg AG\n", kind="leads")
    posted = answers(client, run, target_0="name", target_1="company") | {"preview": "1"}
    page = client.post(reverse("import_columns", args=[run.pk]), posted, headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert [row.values for row in page.context["preview"].rows] == [["Anna", "Berg AG"]]
    assert "<html" not in page.content.decode()


@pytest.mark.parametrize(
    ("answer", "expected"), [("update", (1, 1, 0, 0)), ("skip", (1, 0, 1, 0)), ("create", (2, 0, 0, 0))]
)
def test_duplicates_are_shown_and_done_with_as_said(answer: str, expected: tuple[int, ...], rep: User) -> None:
    client = client_of(rep)
    LeadFactory(name="Anna Berg", email="ANNA@berg.test", owner=rep, company_name="Old name")
    run = check(client, upload(client, LEADS))
    page = client.get(run.get_absolute_url()).content.decode()
    assert "1 row whose record may be there already" in page
    assert "same e-mail" in page.casefold()
    start(client, run, answer)
    assert counts(run) == expected
    assert Lead.objects.filter(company_name="Berg AG").exists() == (answer != "skip")


def test_a_duplicate_handed_to_another_team_since_is_not_named(rep: User, outsider: User) -> None:
    client = client_of(rep)
    there = LeadFactory(name="Anna of Old", email="anna@berg.test", owner=rep)
    run = check(client, upload(client, LEADS))
    assert "Anna of Old" in client.get(run.get_absolute_url()).text
    Lead.objects.filter(pk=there.pk).update(owner=outsider)
    page = client.get(run.get_absolute_url())
    assert (page.status_code, "Anna of Old" in page.text, "1 row whose record" in page.text) == (200, False, True)


def test_one_row_may_be_decided_apart(rep: User) -> None:
    client = client_of(rep)
    ContactFactory(name="Anna Berg", email="anna@berg.test", owner=rep)
    ContactFactory(name="Boris Kim", email="boris@kim.test", owner=rep)
    run = check(
        client,
        upload(
            client, "Name,Email,Position\nAnna Berg,anna@berg.test,CEO\nBoris Kim,boris@kim.test,CTO\n", kind="contacts"
        ),
    )
    start(client, run, "skip", line_3="update")
    assert counts(run) == (0, 1, 1, 0)
    assert Contact.objects.get(name="Boris Kim").position == "CTO"


def test_the_error_file_can_be_corrected_and_sent_again(rep: User) -> None:
    client = client_of(rep)
    run = start(client, check(client, upload(client, "Name,Email\nAnna,no address\n=1+1,b@b.test\n")))
    assert counts(run) == (1, 0, 0, 1)
    response = client.get(reverse("import_problems", args=[run.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "Name,Email,line,column,value,reason"
    assert text.splitlines()[1].startswith("Anna,no address,2,Email,no address,")

    again = start(client, check(client, upload(client, text.replace("no address,2", "anna@a.test,2"))))
    assert counts(again) == (1, 0, 0, 0)
    assert Contact.objects.filter(email="anna@a.test").exists() or Lead.objects.filter(email="anna@a.test").exists()


def test_no_cell_of_the_error_file_starts_as_a_formula(rep: User) -> None:
    client = client_of(rep)
    run = start(
        client, check(client, upload(client, "Name,Email\n\"=cmd|' /C calc'!A0\",@sum\n+7,-2+3\n", kind="leads"))
    )
    text = b"".join(client.get(reverse("import_problems", args=[run.pk])).streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 3
    assert not [
        cell for row in rows for cell in row if cell[:1] in ("=", "@", "\t", "\r") or cell.startswith(("-2+", "+cmd"))
    ]


def test_answers_can_be_kept_and_are_offered_for_the_same_columns(rep: User, colleague: User) -> None:
    client = client_of(rep)
    run = start(
        client, check(client, upload(client, "wer,wo\nAnna,Berg\n", kind="leads"), target_0="name", target_1="company")
    )
    client.post(reverse("import_mapping_save", args=[run.pk]), {"name": "Messe"})
    again = upload(client, "wer,wo\nBoris,Kim\n", kind="leads")
    page = client.get(reverse("import_columns", args=[again.pk]))
    (mapping,) = page.context["saved"]
    assert client.get(reverse("import_columns", args=[again.pk]), {"saved": mapping.pk}).context[
        "form"
    ].answers.targets == ("name", "company")
    other = upload(client_of(colleague), "wer,wo\nBoris,Kim\n", kind="leads")
    assert not client_of(colleague).get(reverse("import_columns", args=[other.pk])).context["saved"]


def test_ids_of_owners_are_asked_about_once(manager: User, rep: User) -> None:
    """Salesforce writes its owners and companies as ids."""
    company = CompanyFactory(external_id="0015g1", owner=rep)
    file = "Id,FirstName,LastName,Email,AccountId,OwnerId\n%s,Anna,Berg,%s@berg.test,0015g1,005xA\n"
    client = client_of(manager)
    run = upload(client, file % ("1", "anna"))
    (word,) = client.get(reverse("import_columns", args=[run.pk])).context["form"].words
    assert "005xA" in word.label
    run = start(client, check(client, run, **{word.name: rep.email}))
    assert counts(run) == (1, 0, 0, 0)
    contact = Contact.objects.get()
    assert (contact.owner, contact.company) == (rep, company)
    client.post(reverse("import_mapping_save", args=[run.pk]), {"name": "Salesforce"})
    again = upload(client, file % ("2", "boris"))
    (mapping,) = client.get(reverse("import_columns", args=[again.pk])).context["saved"]
    page = client.get(reverse("import_columns", args=[again.pk]), {"saved": mapping.pk})
    assert [word.value() for word in page.context["form"].words] == [rep.email]


# --- Rights ---


def test_a_rep_imports_for_nobody_else(rep: User, colleague: User) -> None:
    client = client_of(rep)
    run = start(
        client, check(client, upload(client, f"Name,Owner\nAnna,{colleague.email}\nBoris,{rep.email}\n", kind="leads"))
    )
    assert counts(run) == (1, 0, 0, 1)
    assert "yourself only" in run.refusals.get().reason


def test_a_manager_imports_for_the_team(manager: User, rep: User, outsider: User) -> None:
    client = client_of(manager)
    file = f"Name,Owner\nAnna,{rep.email}\nBoris,{outsider.email}\n"
    run = start(client, check(client, upload(client, file, kind="leads")))
    assert counts(run) == (1, 0, 0, 1)
    assert Lead.objects.get().owner == rep


def test_what_one_may_not_see_is_neither_changed_nor_shown(rep: User, outsider: User) -> None:
    theirs = LeadFactory(name="Anna Berg", email="anna@berg.test", owner=outsider, company_name="Theirs")
    client = client_of(rep)
    run = check(client, upload(client, LEADS))
    assert "may be there already" not in client.get(run.get_absolute_url()).content.decode()
    start(client, run)
    theirs.refresh_from_db()
    assert (theirs.company_name, counts(run)) == ("Theirs", (2, 0, 0, 0))


def test_an_external_id_of_somebody_else_is_refused(rep: User, outsider: User) -> None:
    LeadFactory(name="Anna Berg", external_id="7", owner=outsider)
    client = client_of(rep)
    run = start(client, check(client, upload(client, "id,name,email\n7,Anna,a@a.test\n", kind="leads")))
    assert counts(run) == (0, 0, 0, 1)
    assert Lead.objects.get().name == "Anna Berg"


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": User.Role.VIEWER}])
def test_an_import_by_somebody_whose_rights_ended_stops(
    change: dict[str, Any], rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.rules.records.course.STEP_ROWS", 1)
    from crm.rules.importing import carrying

    client = client_of(rep)
    run = check(client, upload(client, LEADS))
    whose = carrying._refuse_other_rights
    steps: list[int] = []

    def after_the_first(*args: Any) -> None:
        if steps:
            User.objects.filter(pk=rep.pk).update(**change)
        steps.append(1)
        whose(*args)

    monkeypatch.setattr(carrying, "_refuse_other_rights", after_the_first)
    start(client, run)
    assert (run.state, counts(run)) == ("stopped", (1, 0, 0, 0))
    assert "was stopped" in run.stop_reason
    assert Lead.objects.count() == 1


def test_an_import_by_somebody_who_leads_a_team_no_more_begins_a_new_slice(manager: User) -> None:
    from crm.rules.importing import carrying

    south = TeamFactory(name="South")  # of nobody yet, but with leads that nobody owns
    south.leaders.add(manager)
    run = ImportRun(by=manager)
    person = carrying.importer_of(run)
    theirs = LeadFactory(owner=None, team=south)
    assert theirs in Lead.objects.editable_by(person)
    carrying._refuse_other_rights(run, person)
    south.leaders.remove(manager)
    with pytest.raises(carrying.Interrupted):
        carrying._refuse_other_rights(run, person)


def test_a_cancelled_import_keeps_what_it_wrote_and_can_be_taken_back(
    rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.rules.records.course.STEP_ROWS", 1)
    monkeypatch.setattr("crm.views.imports.AT_ONCE_SECONDS", 0.0)
    client = client_of(rep)
    run = upload(client, LEADS)
    check(client, run)
    while run.state == "checking":
        client.get(run.get_absolute_url())
        from crm.rules.importing.carrying import carry_on

        carry_on(run.pk, seconds=0)
        run.refresh_from_db()
    start(client, run)
    assert (run.state, run.created) == ("running", 1)
    client.post(reverse("import_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert (run.state, Lead.objects.count()) == ("cancelled", 1)
    assert client.post(reverse("import_cancel", args=[run.pk])).status_code == 409
    client.post(reverse("import_undo", args=[run.pk]))
    carry_on(run.pk, seconds=2)
    run.refresh_from_db()
    assert (run.state, Lead.objects.count()) == ("undone", 0)


def test_a_viewer_sees_no_imports(viewer: User) -> None:
    assert client_of(viewer).get(reverse("import_list")).status_code == 403


def test_uploads_are_thrown_away_after_a_week(rep: User) -> None:
    client = client_of(rep)
    run = start(client, check(client, upload(client, LEADS)))
    now = timezone.now()
    assert forget_uploads(now=now) == 0
    assert forget_uploads(now=now + dt.timedelta(days=8)) == 1
    assert not ImportChunk.objects.exists()
    assert ImportFile.objects.get().is_gone
    assert client.get(run.get_absolute_url()).status_code == 200
