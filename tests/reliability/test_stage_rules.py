"""Stage rules while workers are killed and two beats run: every firing is carried out once, whole or not at all."""

from __future__ import annotations

import datetime as dt
import os
import time

import pytest
from django.db.models import Count
from django.utils import timezone

from crm.models import Email, EmailTemplate, FollowUp, OutboxRow
from pipeline.models import Deal, RuleFiring, StageVisit
from tests.factories import ContactFactory, DealFactory, UserFactory, sales_pipeline
from tests.factories.stage_rules import list_of, rule_for
from tests.reliability.conftest import Crew, MailServer, wait_until

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Small enough for every change; by hand: RELIABILITY_FIRINGS=5000 RELIABILITY_FIRING_KILLS=50.
FIRINGS = int(os.environ.get("RELIABILITY_FIRINGS", "60"))
KILLS = int(os.environ.get("RELIABILITY_FIRING_KILLS", "3"))


def test_killing_workers_neither_loses_nor_doubles_a_firing(crew: Crew, mail_server: MailServer) -> None:
    owner = UserFactory()
    stage = sales_pipeline().stages.get(slug="prospecting")
    template = EmailTemplate.objects.create(name="Still there?", owner=owner, is_shared=True, subject="s", body="b")
    rule = rule_for(
        stage,
        ("follow_ups", {"list": list_of("Call", "Write").pk}),
        ("add_tag", {"tag": "silent"}),
        ("send_template", {"template": template.pk}),
        trigger="staying",
        days=2,
    )
    at = timezone.now() - dt.timedelta(days=2, minutes=1)
    for number in range(FIRINGS):
        contact = ContactFactory(owner=owner, email=f"customer{number}@client{number % 50}.test")
        DealFactory(owner=owner, created_at=at, contact=contact)
    StageVisit.objects.update(recorded_at=at)

    def done() -> int:
        return RuleFiring.objects.filter(rule=rule, state="done").count()

    began = time.monotonic()
    crew.beat()
    crew.beat()
    worker = crew.worker(concurrency=2)
    from pipeline.jobs import fire_on_staying

    fire_on_staying()
    kills = 0
    while kills < KILLS:
        seen = done()
        assert wait_until(lambda seen=seen: done() > seen or done() == FIRINGS, 60, every=0.02), crew.log()
        worker.kill()
        kills += 1
        worker.start()
    assert wait_until(lambda: done() == FIRINGS, 120 + FIRINGS / 5, every=0.2), crew.log()

    actions = RuleFiring.objects.filter(rule=rule).count()
    doubled = FollowUp.objects.values("subject_id", "title").annotate(times=Count("pk")).filter(times__gt=1).count()
    mails = Email.objects.values("subject_id").annotate(times=Count("pk"))
    print(
        f"{FIRINGS} stays, {kills} kills: {actions} firings, {done()} done, {FollowUp.objects.count()} follow-ups, "
        f"{Email.objects.count()} letters, {doubled} doubled, {time.monotonic() - began:.0f} s"
    )
    assert actions == FIRINGS
    assert FollowUp.objects.count() == 2 * FIRINGS
    assert doubled == 0
    assert mails.count() == FIRINGS
    assert not mails.filter(times__gt=1).exists()
    assert Deal.objects.filter(tags=["silent"]).count() == FIRINGS
    rows = OutboxRow.objects.filter(kind="stage_rule")
    assert wait_until(lambda: not rows.exclude(state__in=("sent", "cancelled")).exists(), 30)
    assert rows.count() == FIRINGS
    assert len(mail_server.message_ids()) == len(mail_server.accepted())
