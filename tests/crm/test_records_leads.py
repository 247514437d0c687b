"""Where leads from files stand, and where they came from: status, campaign, day of return."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Campaign, ImportRun, Lead, LeadSource, User
from crm.rules.records.undoing import undo_import
from metrics.rules.records import KINDS
from tests.factories import LeadSourceFactory
from tests.factories.records import bring_in, counts, reasons
from tests.wizard import check, client_of, start, upload

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
STATUSES = (
    "external_id,name,status,disqualify_reason,nurture_until\n"
    "1,Anna,New,,\n"
    "2,Boris,в работе,,\n"
    "3,Clara,qualified,,\n"
    "4,Dmitri,Disqualified,No budget,\n"
    "5,Elena,nurturing,,2026-09-01\n"
    "6,Felix,Converted,,\n"
    "7,Greta,,,\n"
    "8,Hugo,,,2026-09-02\n"
)


def test_a_status_is_taken_where_it_means_something():
    outcome = bring_in("leads", STATUSES, now=NOW)
    assert counts(outcome) == (8, 0, 0, 0)
    assert dict(Lead.objects.values_list("name", "status")) == {
        "Anna": "new",
        "Boris": "working",
        "Clara": "qualified",
        "Dmitri": "disqualified",
        "Elena": "nurturing",
        "Felix": "qualified",  # until its deal is brought in
        "Greta": "new",
        "Hugo": "nurturing",
    }
    assert Lead.objects.get(name="Clara").qualified_at == NOW
    dead = Lead.objects.get(name="Dmitri")
    assert (dead.disqualified_at, dead.disqualify_reason.name) == (NOW, "No budget")
    assert Lead.objects.get(name="Elena").nurture_until == dt.date(2026, 9, 1)
    said = "\n".join(outcome.warnings)
    assert "3 leads do not say when they were qualified or disqualified" in said
    assert "1 lead was a deal there" in said


def test_times_tell_more_than_a_status():
    bring_in("leads", "name,status,created_at,first_response_at,qualified_at\nA,new,2026-01-01,2026-01-02,2026-01-03\n")
    assert Lead.objects.get().status == "qualified"


def test_the_same_statuses_again_change_nothing_and_what_people_did_since_stays():
    bring_in("leads", STATUSES, now=NOW)
    Lead.objects.filter(name="Dmitri").update(status="working", disqualified_at=None, disqualify_reason=None)
    again = bring_in("leads", STATUSES, now=NOW + dt.timedelta(days=1))
    assert counts(again) == (0, 0, 8, 0)
    dead = Lead.objects.get(name="Dmitri")
    assert (dead.status, dead.disqualified_at) == ("working", None)


def test_a_corrected_status_leaves_nothing_of_the_former_one():
    bring_in("leads", STATUSES, now=NOW)
    corrected = "external_id,name,status\n4,Dmitri,working\n5,Elena,disqualified\n"
    assert counts(bring_in("leads", corrected, now=NOW)) == (0, 2, 0, 0)
    back, dead = Lead.objects.get(name="Dmitri"), Lead.objects.get(name="Elena")
    assert (back.status, back.disqualified_at, back.disqualify_reason) == ("working", None, None)
    assert (dead.status, dead.disqualified_at, dead.nurture_until) == ("disqualified", NOW, None)


def test_contradictions_and_unknown_statuses_are_reported():
    outcome = bring_in(
        "leads",
        "name,status,disqualified_at,disqualify_reason,nurture_until\n"
        "Strange,hot,,,\n"
        "Dead,working,2026-01-01,,\n"
        "Reason,new,,No budget,\n"
        "Return,qualified,,,2027-01-01\n",
        now=NOW,
    )
    assert counts(outcome) == (0, 0, 0, 4)
    assert reasons(outcome) == [(2, "status"), (3, "status"), (4, "disqualified_at"), (5, "nurture_until")]


def test_a_column_that_a_later_file_leaves_out_is_left_alone():
    bring_in("leads", "external_id,name,company,source,campaign\n1,Anna,Berg AG,Fair,Spring\n")
    bring_in("leads", "external_id,name\n1,Anna Berg\n")
    lead = Lead.objects.get()
    assert (lead.name, lead.company_name, str(lead.source), str(lead.campaign)) == (
        "Anna Berg",
        "Berg AG",
        "Fair",
        "Spring",
    )


def test_a_campaign_is_known_within_its_source_or_made_there():
    fair = LeadSourceFactory(name="Fair")
    Campaign.objects.create(name="Spring", source=fair)
    rows = "A,Fair,spring\nB,,Spring\nC,Web,Spring\nD,Web,Spring\nE,Web,Launch\nF,,Unheard of\n"
    outcome = bring_in("leads", f"name,source,campaign\n{rows}")
    assert (counts(outcome), reasons(outcome)) == ((5, 0, 0, 1), [(7, "campaign")])
    assert {lead.name: (str(lead.source), str(lead.campaign)) for lead in Lead.objects.all()} == {
        "A": ("Fair", "Spring"),
        "B": ("Fair", "Spring"),
        "C": ("Web", "Spring · Web"),
        "D": ("Web", "Spring · Web"),
        "E": ("Web", "Launch"),
    }
    assert "2 campaigns were unknown and made." in outcome.warnings
    bring_in("leads", "name,source,campaign\nG,Web,Spring\n")
    assert str(Lead.objects.get(name="G").campaign) == "Spring · Web"

    for run in ImportRun.objects.order_by("-pk"):
        undo_import(run, kinds=KINDS, by=None, now=timezone.now())
    assert not Lead.objects.exists()
    assert list(Campaign.objects.values_list("name", flat=True)) == ["Spring"]
    assert not LeadSource.objects.filter(name="Web").exists()


def test_the_wizard_asks_what_a_strange_status_means_and_takes_all_of_it_back(rep: User) -> None:
    client = client_of(rep)
    rows = "Anna,a@a.test,Fair,Spring,Tepid\nBo,b@b.test,Fair,Spring,В работе\n"
    file = f"Full name,E-mail,Lead source,Campaign,Status\n{rows}"
    run = upload(client, file)
    page = client.get(reverse("import_columns", args=[run.pk])).context
    asked = [name for name in page["form"].fields if name.startswith("word_")]
    assert len(asked) == 1
    assert "Working" in page["preview"].rows[1].values
    check(client, run, **{asked[0]: "nurturing"})
    start(client, run)
    anna = Lead.objects.get(name="Anna")
    assert (anna.status, str(anna.campaign), anna.campaign.source) == ("nurturing", "Spring", anna.source)

    client.post(reverse("import_undo", args=[run.pk]))
    assert not Lead.objects.exists()
    assert not Campaign.objects.exists()


def test_our_own_list_of_leads_comes_back_as_it_was(rep: User) -> None:
    client = client_of(rep)
    row = f"Anna,a@a.test,Fair,Spring,working,{rep.email}"
    bring_in("leads", f"name,email,source,campaign,status,owner\n{row}\n")
    exported = b"".join(client.get(reverse("lead_export") + "?view=all").streaming_content)
    Lead.objects.all().delete()
    start(client, check(client, upload(client, exported, name="leads.csv")))
    lead = Lead.objects.get()
    assert (lead.status, str(lead.source), str(lead.campaign), lead.owner) == ("working", "Fair", "Spring", rep)
