"""An admin shapes the process in the Django admin; what history forbids is said in a sentence."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEntry, User
from pipeline.models import Deal, Pipeline, Stage
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def settings_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def stage_form(stage: Stage, **changes: object) -> dict[str, object]:
    fields = ("pipeline_id", "name", "name_ru", "slug", "kind", "probability", "color", "playbook", "playbook_ru")
    form = {name.removesuffix("_id"): getattr(stage, name) for name in fields}
    managements = {f"{prefix}-{key}_FORMS": 0 for prefix in ("checklist", "rules") for key in ("TOTAL", "INITIAL")}
    return {**form, "rotting_days": stage.rotting_days or "", **managements, **changes}


@pytest.mark.parametrize(
    "model",
    ["pipeline", "stage", "lossreason", "product", "contract", "deal", "stagerule", "rulefiring", "followuplist"],
)
def test_lists_open(settings_client: Client, stages: dict[str, Stage], model: str) -> None:
    assert settings_client.get(reverse(f"admin:pipeline_{model}_changelist")).status_code == 200


@pytest.mark.parametrize("model", ["user", "team", "leadsource", "outboxrow", "auditentry", "exchangerate"])
def test_lists_of_people_open(settings_client: Client, model: str) -> None:
    assert settings_client.get(reverse(f"admin:crm_{model}_changelist")).status_code == 200


def test_rep_is_turned_away(client: Client, rep: User) -> None:
    client.force_login(rep)
    assert client.get(reverse("admin:pipeline_stage_changelist")).status_code in {302, 403}


def test_pipeline_page_shows_stages_to_drag(settings_client: Client, sales: Pipeline) -> None:
    page = settings_client.get(reverse("admin:pipeline_pipeline_change", args=[sales.pk]))
    assert page.status_code == 200
    assert "sortable" in page.content.decode()


def test_change_of_a_stage_is_audited_with_its_author(
    settings_client: Client, stages: dict[str, Stage], admin: User
) -> None:
    stage = stages["meeting"]
    form = stage_form(stage, probability="40", required_fields=["amount", "company"])
    response = settings_client.post(reverse("admin:pipeline_stage_change", args=[stage.pk]), form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    stage.refresh_from_db()
    assert (stage.probability, stage.required_fields) == (40, ["amount", "company"])
    entry = AuditEntry.objects.about("stage", stage.pk).first()
    assert entry is not None
    assert (entry.actor, entry.through) == (admin, "admin")


def test_stage_with_history_keeps_its_kind(settings_client: Client, stages: dict[str, Stage], rep: User) -> None:
    DealFactory(owner=rep, stage="meeting")
    stage = stages["meeting"]
    response = settings_client.post(
        reverse("admin:pipeline_stage_change", args=[stage.pk]), stage_form(stage, kind="won")
    )
    assert "pipeline and kind stay as they are" in response.content.decode()
    stage.refresh_from_db()
    assert stage.kind == "open"


def test_stage_with_history_is_not_deleted_but_archived(
    settings_client: Client, stages: dict[str, Stage], rep: User
) -> None:
    deal = DealFactory(owner=rep, stage="meeting")
    stage = stages["meeting"]
    refused = settings_client.post(
        reverse("admin:pipeline_stage_delete", args=[stage.pk]), {"post": "yes"}, follow=True
    )
    assert "archive it instead" in refused.content.decode()

    url = reverse("admin:pipeline_stage_archive", args=[stage.pk])
    assert settings_client.post(url, {"to": ""}).status_code == 422
    assert settings_client.post(url, {"to": stages["proposal"].pk}).status_code == 302
    deal.refresh_from_db()
    stage.refresh_from_db()
    assert stage.is_archived
    assert deal.stage == stages["proposal"]
    assert [visit.stage.slug for visit in deal.visits.order_by("pk")] == ["meeting", "proposal"]


def test_empty_stage_can_be_deleted(settings_client: Client, sales: Pipeline) -> None:
    stage = Stage.objects.create(pipeline=sales, name="Trial", slug="trial", position=9)
    settings_client.post(reverse("admin:pipeline_stage_delete", args=[stage.pk]), {"post": "yes"})
    assert not Stage.objects.filter(pk=stage.pk).exists()


def test_pipeline_is_made_with_stages_in_two_languages(settings_client: Client) -> None:
    response = settings_client.post(
        reverse("admin:pipeline_pipeline_add"),
        {
            "name": "Service", "name_ru": "Сервис", "slug": "service",
            "stages-TOTAL_FORMS": 2, "stages-INITIAL_FORMS": 0,
            "stages-0-name": "First", "stages-0-name_ru": "Первый", "stages-0-slug": "first", "stages-0-kind": "open",
            "stages-0-probability": "20", "stages-0-color": "slate", "stages-0-position": 1,
            "stages-1-name": "Signed", "stages-1-name_ru": "Подписан", "stages-1-slug": "signed",
            "stages-1-kind": "won", "stages-1-probability": "100", "stages-1-color": "teal", "stages-1-position": 2,
        },
    )  # fmt: skip
    assert response.status_code == 302
    assert [stage.name for stage in Pipeline.objects.get(slug="service").stages.order_by("position")] == [
        "First",
        "Signed",
    ]


def test_deal_is_only_looked_at(settings_client: Client, rep: User) -> None:
    deal = DealFactory(owner=rep)
    url = reverse("admin:pipeline_deal_change", args=[deal.pk])
    assert settings_client.get(url).status_code == 200
    assert settings_client.post(url, {"name": "changed"}).status_code == 403
    assert Deal.objects.get(pk=deal.pk).name == deal.name


def test_person_is_made_with_a_role(settings_client: Client) -> None:
    response = settings_client.post(
        reverse("admin:crm_user_add"),
        {
            "email": "new@example.test", "name": "New", "role": "manager", "usable_password": "true",
            "password1": "a long pass phrase", "password2": "a long pass phrase",
        },
    )  # fmt: skip
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert User.objects.get(email="new@example.test").role == "manager"


def test_who_is_deactivated_is_logged_out_for_good(settings_client: Client, rep: User) -> None:
    theirs = Client()
    theirs.force_login(rep)
    form = {
        "name": rep.name, "email": rep.email, "role": "rep", "team": rep.team_id, "language": "en", "time_zone": "UTC",
        "theme": "auto", "digest_at": "08:00",
    }  # fmt: skip
    url = reverse("admin:crm_user_change", args=[rep.pk])
    response = settings_client.post(url, form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert User.objects.get(pk=rep.pk).is_active is False
    User.objects.filter(pk=rep.pk).update(is_active=True)
    assert theirs.get("/deals/").status_code == 302


def test_a_pipeline_in_which_nothing_can_be_won_is_warned_of(
    settings_client: Client, stages: dict[str, Stage], admin: User
) -> None:
    won = stages["fulfilment"]
    address = reverse("admin:pipeline_stage_change", args=[won.pk])
    kept = settings_client.post(address, stage_form(won), follow=True)
    assert "no deal of it can be won" not in kept.content.decode()
    said = settings_client.post(address, stage_form(won, kind="open"), follow=True)
    assert "no deal of it can be won" in said.content.decode()

    deal = DealFactory(owner=admin)
    for page in (f"/deals/{deal.pk}/", "/board/sales/"):
        body = settings_client.get(page).content.decode()
        assert f"/deals/{deal.pk}/win/" not in body
        assert 'data-verb="win"' not in body
        assert 'data-outcome="win"' not in body
    refused = settings_client.post(
        f"/deals/{deal.pk}/win/", {"version": deal.version, "amount": "1", "won_on": "2026-01-02"}
    )
    assert refused.status_code == 422
    assert 'name="ticked"' not in refused.content.decode()


def test_open_deals_keep_a_stage_in_which_they_are_won(
    settings_client: Client, sales: Pipeline, stages: dict[str, Stage], rep: User
) -> None:
    won, refused = stages["fulfilment"], "1 open deal that could no longer be won"
    deal = DealFactory(owner=rep)
    archive, change = (reverse(f"admin:pipeline_stage_{name}", args=[won.pk]) for name in ("archive", "change"))
    answers = [
        settings_client.post(archive, {"to": ""}),
        settings_client.post(change, stage_form(won, kind="open")),
        settings_client.post(change, stage_form(won, is_archived="on")),
        settings_client.post(reverse("admin:pipeline_stage_delete", args=[won.pk]), {"post": "yes"}, follow=True),
    ]
    assert [refused in answer.text for answer in answers] == [True] * 4
    won.refresh_from_db()
    assert (won.kind, won.is_archived) == ("won", False)

    other = Stage.objects.create(pipeline=sales, name="Signed", slug="signed", kind="won", position=99)
    assert settings_client.post(archive, {"to": ""}, follow=True).status_code == 200
    won.refresh_from_db()
    assert won.is_archived
    Deal.objects.filter(pk=deal.pk).update(deleted_at=timezone.now())
    archive = reverse("admin:pipeline_stage_archive", args=[other.pk])
    assert "no deal of it can be won" in settings_client.post(archive, {"to": ""}, follow=True).text


def inline_form(sales: Pipeline, **kinds: str) -> dict[str, object]:
    rows = list(sales.stages.order_by("position"))
    form: dict[str, object] = {"name": sales.name, "name_ru": sales.name_ru, "slug": sales.slug}
    form |= {"stages-TOTAL_FORMS": len(rows), "stages-INITIAL_FORMS": len(rows)}
    for number, stage in enumerate(rows):
        names = ("id", "name", "name_ru", "slug", "kind", "probability", "color", "position")
        form |= {f"stages-{number}-{name}": getattr(stage, name) for name in names}
        form |= {f"stages-{number}-pipeline": sales.pk, f"stages-{number}-rotting_days": stage.rotting_days or ""}
        form[f"stages-{number}-kind"] = kinds.get(stage.slug, stage.kind)
    return form


def test_the_table_of_stages_obeys_the_same_rules(
    settings_client: Client, sales: Pipeline, stages: dict[str, Stage], rep: User
) -> None:
    DealFactory(owner=rep, stage="meeting")
    url = reverse("admin:pipeline_pipeline_change", args=[sales.pk])
    answer = settings_client.post(url, inline_form(sales, fulfilment="open"))
    assert "1 open deal that could no longer be won" in answer.text
    answer = settings_client.post(url, inline_form(sales, meeting="won"))
    assert "pipeline and kind stay as they are" in answer.text
    assert settings_client.post(url, inline_form(sales, fulfilment="open", close="won")).status_code == 302
    assert list(sales.stages.filter(kind="won")) == [stages["close"]], "one in place of the other, in one go"


def test_the_admin_puts_names_into_russian_sentences(client: Client, admin: User, stages: dict[str, Stage]) -> None:
    admin.language = "ru"
    admin.save(update_fields=["language"])
    client.force_login(admin)
    body = client.get(reverse("admin:pipeline_pipeline_changelist")).content.decode()
    assert "Добавить: воронка" in body
    assert "Выберите воронка" not in body
