"""Who sees and changes what, asked of the querysets that decide."""

from __future__ import annotations

from typing import Any

import pytest

from crm.models import Company, User
from tests.factories import CompanyFactory, UserFactory
from tests.factories.sequences import EmailTemplateFactory, SequenceFactory

pytestmark = pytest.mark.django_db


def names(rows: object) -> set[str]:
    return {row.name for row in rows}


def test_a_company_of_nobody_is_everybodys(rep: User, outsider: User, viewer: User) -> None:
    CompanyFactory(name="Nobody's")
    CompanyFactory(name="Rita's", owner=rep)
    assert names(Company.objects.visible_to(rep)) == {"Nobody's", "Rita's"}
    assert names(Company.objects.visible_to(outsider)) == {"Nobody's"}
    assert names(Company.objects.editable_by(outsider)) == {"Nobody's"}
    assert names(Company.objects.editable_by(viewer)) == set()


def test_a_team_that_does_not_share_keeps_to_itself(rep: User, colleague: User, manager: User) -> None:
    CompanyFactory(name="Carl's", owner=colleague)
    assert names(Company.objects.visible_to(rep)) == {"Carl's"}
    assert names(Company.objects.editable_by(rep)) == set()
    rep.team.shares_records = False
    rep.team.save()
    alone = User.objects.get(pk=rep.pk)
    assert names(Company.objects.visible_to(alone)) == set()
    assert names(Company.objects.visible_to(manager)) == {"Carl's"}


@pytest.mark.parametrize("factory", [EmailTemplateFactory, SequenceFactory])
def test_what_is_shared_with_everybody_is_not_everybodys_to_change(
    factory: Any, rep: User, outsider: User, manager: User
) -> None:
    shared = factory(owner=rep, is_shared=True)
    outsider.team.shares_records = False  # then they change as many people's records as they see: their own
    outsider.team.save()
    leader = UserFactory(role=User.Role.MANAGER)
    for stranger in (User.objects.get(pk=outsider.pk), leader):
        assert shared in type(shared).objects.visible_to(stranger)
        assert shared not in type(shared).objects.editable_by(stranger)
    for theirs in (rep, manager):
        assert shared in type(shared).objects.editable_by(theirs)
