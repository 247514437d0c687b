"""Makes rows for tests: believable, valid, and no more of them than asked for."""

from tests.factories.crm import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    FollowUpFactory,
    LeadFactory,
    LeadSourceFactory,
    TeamFactory,
    UserFactory,
)
from tests.factories.lead_forms import LeadFormFactory, SubmissionFactory
from tests.factories.pipeline import ContractFactory, DealFactory, sales_pipeline
from tests.factories.working_time import office_hours

__all__ = [
    "ActivityFactory",
    "CompanyFactory",
    "ContactFactory",
    "ContractFactory",
    "DealFactory",
    "FollowUpFactory",
    "LeadFactory",
    "LeadFormFactory",
    "LeadSourceFactory",
    "SubmissionFactory",
    "TeamFactory",
    "UserFactory",
    "office_hours",
    "sales_pipeline",
]
