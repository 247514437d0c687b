"""People, companies, leads, activities, follow-ups and what leaves the system."""

from crm.models.access import Erasable, OwnedQuerySet, Recoverable, SearchedQuerySet, within
from crm.models.accounts import Team, User
from crm.models.activities import Activity
from crm.models.answers import FirstAnswer
from crm.models.assigning import AssignmentRule, AssignmentTurn
from crm.models.audit import AuditEntry, audited, audited_kinds
from crm.models.companies import Company, Contact
from crm.models.duplicates import DuplicateCheck, DuplicateSuspicion, Reason, Strength
from crm.models.emails import Email, EmailAttachment, EmailTemplate, SoftBounce, Suppression
from crm.models.enrolments import EmailLink, Enrolment, MassEnrolment, StepRun
from crm.models.follow_ups import FollowUp, Reminder
from crm.models.hand_overs import HandOver
from crm.models.imports import ImportChunk, ImportFile, ImportMapping, ImportRefusal, ImportRow, ImportRun
from crm.models.lead_forms import ConsentText, LeadForm, LeadFormField
from crm.models.leads import Campaign, DisqualifyReason, Lead, LeadSource
from crm.models.mailboxes import DropAddress, Mailbox, MailFolder, Receipt
from crm.models.meetings import Attendee, Invitation
from crm.models.mergeable import Mergeable
from crm.models.merges import Merge, MergedRecord, MergeMove
from crm.models.money import ExchangeRate, base_currency, currency_field
from crm.models.notices import Notification, NotificationChoice
from crm.models.outbox import Heartbeat, OutboxAttempt, OutboxRow, PausedKind
from crm.models.person import ERASED, Person
from crm.models.personal import Holding, blank_of, holdings, holds_personal
from crm.models.qualifying import QualifyingAnswer, QualifyingQuestion
from crm.models.saved_views import OpensWith, SavedView
from crm.models.scores import FEWEST_OUTCOMES, ScoreModel, ScoreRule
from crm.models.segments import Segment
from crm.models.sequences import Sequence, SequenceStep
from crm.models.series import FollowUpSeries
from crm.models.sharing import Sharing
from crm.models.subjects import (
    AboutSubject,
    Subject,
    kind_of,
    step_in_state,
    subject_models,
    subjects_editable_by,
    subjects_seen_by,
)
from crm.models.submissions import DoorCount, Submission
from crm.models.text import Bilingual, folded, holds_text, search_column
from crm.models.tokens import ApiToken, Token
from crm.models.working_time import Absence, CalendarException, WorkingCalendar, WorkingSpan, regions_by_country

__all__ = [
    "ERASED",
    "FEWEST_OUTCOMES",
    "AboutSubject",
    "Absence",
    "Activity",
    "ApiToken",
    "AssignmentRule",
    "AssignmentTurn",
    "Attendee",
    "AuditEntry",
    "Bilingual",
    "CalendarException",
    "Campaign",
    "Company",
    "ConsentText",
    "Contact",
    "DisqualifyReason",
    "DoorCount",
    "DropAddress",
    "DuplicateCheck",
    "DuplicateSuspicion",
    "Email",
    "EmailAttachment",
    "EmailLink",
    "EmailTemplate",
    "Enrolment",
    "Erasable",
    "ExchangeRate",
    "FirstAnswer",
    "FollowUp",
    "FollowUpSeries",
    "HandOver",
    "Heartbeat",
    "Holding",
    "ImportChunk",
    "ImportFile",
    "ImportMapping",
    "ImportRefusal",
    "ImportRow",
    "ImportRun",
    "Invitation",
    "Lead",
    "LeadForm",
    "LeadFormField",
    "LeadSource",
    "MailFolder",
    "Mailbox",
    "MassEnrolment",
    "Merge",
    "MergeMove",
    "Mergeable",
    "MergedRecord",
    "Notification",
    "NotificationChoice",
    "OpensWith",
    "OutboxAttempt",
    "OutboxRow",
    "OwnedQuerySet",
    "PausedKind",
    "Person",
    "QualifyingAnswer",
    "QualifyingQuestion",
    "Reason",
    "Receipt",
    "Recoverable",
    "Reminder",
    "SavedView",
    "ScoreModel",
    "ScoreRule",
    "SearchedQuerySet",
    "Segment",
    "Sequence",
    "SequenceStep",
    "Sharing",
    "SoftBounce",
    "StepRun",
    "Strength",
    "Subject",
    "Submission",
    "Suppression",
    "Team",
    "Token",
    "User",
    "WorkingCalendar",
    "WorkingSpan",
    "audited",
    "audited_kinds",
    "base_currency",
    "blank_of",
    "currency_field",
    "folded",
    "holdings",
    "holds_personal",
    "holds_text",
    "kind_of",
    "regions_by_country",
    "search_column",
    "step_in_state",
    "subject_models",
    "subjects_editable_by",
    "subjects_seen_by",
    "within",
]
