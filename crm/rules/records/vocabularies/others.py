"""Tables that are no leads, contacts, companies or deals: told by their headings, so that nobody imports them."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.rules.records.vocabularies.vocabulary import Vocabulary


def _table(program: str, holds: str | Promise, *telling: str) -> Vocabulary:
    return Vocabulary(program, "", {}, telling=telling, holds=holds)


VOCABULARIES = (
    _table(
        "Salesforce", _("campaigns"), "isactive", "startdate", "enddate", "budgetedcost", "actualcost",
        "numberofleads", "expectedresponse", "numbersent", "numberofresponses", "numberofcontacts",
        "hierarchynumberofleads", "amountallopportunities", "numberofopportunities", "id", "name", "status", "type",
    ),
    _table(
        "Salesforce", _("members of campaigns"), "id", "campaignid", "leadid", "contactid", "hasresponded",
        "firstrespondeddate", "status", "isprimary", "isdeleted", "createddate", "createdbyid", "lastmodifieddate",
        "lastmodifiedbyid", "systemmodstamp",
    ),
    _table(
        "Salesforce", _("events"), "id", "whoid", "whatid", "subject", "location", "isalldayevent",
        "activitydatetime", "durationinminutes", "showas", "isgroupevent", "eventsubtype", "accountid", "ownerid",
        "isdeleted", "createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid", "systemmodstamp", "type",
    ),
    _table(
        "Salesforce", _("tasks"), "id", "whoid", "whatid", "subject", "activitydate", "priority", "isclosed",
        "calltype", "calldurationinseconds", "calldisposition", "completeddatetime", "status", "accountid", "ownerid",
        "isdeleted", "createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid", "systemmodstamp", "type",
    ),
    _table(
        "Salesforce", _("roles of contacts in deals"), "id", "opportunityid", "contactid", "role", "isprimary",
        "createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid", "systemmodstamp", "isdeleted",
    ),
    _table(
        "Salesforce", _("stage histories"), "id", "opportunityid", "stagename", "fromforecastcategory", "prevamount",
        "prevclosedate", "validthroughdate", "createddate", "amount", "expectedrevenue", "closedate", "probability",
        "forecastcategory", "createdbyid", "systemmodstamp", "isdeleted",
    ),
    _table(
        "Salesforce", _("quotes"), "id", "quotenumber", "opportunityid", "issyncing", "shippinghandling",
        "expirationdate", "quotetoname", "quotetocity", "quotetostreet", "quotetocountry", "quotetostate", "tax",
        "status", "contactid", "contractid", "billingname", "additionalname", "name", "email", "phone", "fax",
        "additionalstreet", "additionalcity", "additionalcountry", "additionalstate", "shippingname", "description",
        "billingstreet", "billingcity", "billingcountry", "billingstate", "shippingstreet", "shippingcity",
        "shippingcountry", "shippingstate", "ownerid", "isdeleted", "createddate", "createdbyid", "lastmodifieddate",
        "lastmodifiedbyid", "systemmodstamp", "pricebook2id", "currencyisocode",
    ),
    _table(
        "Zoho", _("campaigns"), "campaignid", "campaign name", "type", "status", "start date", "end date",
        "expected revenue", "budgeted cost", "actual cost", "created time", "modified time",
    ),
    _table(
        "Zoho", _("cases"), "case owner", "case origin", "days to closed", "age in days", "age tier", "status",
        "created time", "modified time",
    ),
    _table(
        "Zoho", _("tasks"), "task owner", "subject", "due date", "status", "modified time", "created time", "priority",
    ),
    _table("Zoho", _("users"), "user_id", "first name", "last name", "email"),
    _table(
        "HubSpot", _("histories of fields"), "_fivetran_synced", "contact_id", "deal_id", "name", "source",
        "source_id", "timestamp", "value",
    ),
    _table("HubSpot", _("links between records"), "_fivetran_synced", "deal_id", "company_id", "contact_id", "type_id",
           "merged_deal_id", "category"),
    _table(
        "HubSpot", _("pipelines and stages"), "_fivetran_synced", "_fivetran_deleted", "pipeline_id", "stage_id",
        "active", "display_order", "label", "closed_won", "probability", "object_type_id",
    ),
    _table(
        "HubSpot", _("calls, mails and meetings"), "_fivetran_synced", "_fivetran_deleted", "engagement_id",
        "property_hs_createdate", "property_hs_timestamp", "property_hubspot_owner_id", "type", "portal_id", "id",
        "active", "activity_type", "created_at", "created_timestamp", "last_updated", "last_updated_timestamp",
        "owner_id", "timestamp", "start_time", "end_time", "meeting_outcome", "title", "body", "source", "source_id",
        "external_url", "web_conference_meeting_id", "created_from_link_id", "pre_meeting_prospect_reminders",
    ),
    _table("HubSpot", _("users"), "_fivetran_synced", "owner_id", "portal_id", "type", "first_name", "last_name",
           "email", "created_at", "updated_at", "is_active"),
    _table("HubSpot", _("tickets"), "_fivetran_synced", "is_deleted", "property_subject", "property_hs_pipeline",
           "property_content", "property_hs_pipeline_stage", "property_createdate", "id", "portal_id"),
)  # fmt: skip
