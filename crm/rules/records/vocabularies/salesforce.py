"""Salesforce: its weekly data export by field names, and its reports by labels."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_SYSTEM = ("isdeleted", "createdbyid", "lastmodifieddate", "lastmodifiedbyid", "systemmodstamp", "lastactivitydate")
_OWNER_IDS = ("ownerid", "owner id")
"""Who that is here, is asked."""
_NAMES = {
    "first_name": ("firstname", "first name", "имя"),
    "middle_name": ("middlename", "middle name", "отчество"),
    "last_name": ("lastname", "last name", "фамилия"),
}

VOCABULARIES = (
    Vocabulary(
        "Salesforce",
        "leads",
        {
            **_NAMES,
            "external_id": ("id", "lead id"),
            "company": ("company", "company / account", "компания"),
            "email": ("email", "эл. почта"),
            "phone": ("phone", "mobilephone", "mobile", "телефон"),
            "source": ("leadsource", "lead source", "источник лида"),
            "status": ("status", "lead status", "статус лида"),
            "message": ("description", "описание"),
            "owner": ("lead owner", "owner", "ответственный за лид", *_OWNER_IDS),
            "created_at": ("createddate", "create date", "created date"),
        },
        values={
            "status": {
                "open - not contacted": "new", "open": "new", "working - contacted": "working",
                "working": "working", "contacted": "working", "nurturing": "nurturing", "nurture": "nurturing",
                "qualified": "qualified", "closed - converted": "converted", "converted": "converted",
                "closed - not converted": "disqualified", "unqualified": "disqualified",
            },
        },
        telling=(
            "masterrecordid", "salutation", "isconverted", "converteddate", "convertedaccountid", "convertedcontactid",
            "convertedopportunityid", "isunreadbyowner", "rating", "hasoptedoutofemail", *_SYSTEM,
        ),
    ),
    Vocabulary(
        "Salesforce",
        "contacts",
        {
            **_NAMES,
            "external_id": ("id", "contact id"),
            "email": ("email", "эл. почта"),
            "phone": ("phone", "mobilephone", "mobile", "homephone", "otherphone", "телефон"),
            "company": ("account name", "account", "название организации"),
            "company_id": ("accountid", "account id"),
            "position": ("title", "должность"),
            "owner": ("contact owner", "owner", *_OWNER_IDS),
        },
        telling=(
            "salutation", "mailingstreet", "mailingcity", "mailingcountry", "otherstreet", "department",
            "reportstoid", "assistantname", "birthdate", "donotcall", "leadsource", *_SYSTEM,
        ),
    ),
    Vocabulary(
        "Salesforce",
        "companies",
        {
            "external_id": ("id", "account id"),
            "name": ("name", "account name", "название организации"),
            "domain": ("website", "веб-сайт"),
            "industry": ("industry", "отрасль"),
            "country": ("billingcountry", "billing country", "shippingcountry"),
            "employees": ("numberofemployees", "employees", "сотрудники"),
            "owner": ("account owner", "owner", *_OWNER_IDS),
        },
        telling=(
            "parentid", "billingstreet", "billingcity", "shippingstreet", "shippingcity", "accountnumber", "sic",
            "annualrevenue", "ownership", "site", "phone", "fax",
            "tickersymbol", "accountsource", "type", *_SYSTEM,
        ),
    ),
    Vocabulary(
        "Salesforce",
        "deals",
        {
            "external_id": ("id", "opportunity id"),
            "name": ("name", "opportunity name", "название возможности"),
            "company": ("account name",),
            "company_id": ("accountid", "account id"),
            "stage_outcome": ("stagename", "stage", "стадия"),
            "amount": ("amount", "сумма"),
            "currency": ("currencyisocode", "amount currency", "opportunity currency"),
            "source": ("leadsource", "lead source"),
            "owner": ("opportunity owner", "owner", *_OWNER_IDS),
            "created_at": ("createddate", "created date"),
            "closed_at": ("closedate", "close date", "дата закрытия"),
            "lost_reason": ("loss_reason__c", "lossreason__c", "loss reason"),
        },
        values={
            "stage": {"closed won": "", "closed lost": ""},
            "outcome": {"closed won": "won", "closed lost": "lost", "*": "open"},
        },
        telling=(
            "stagesortorder", "probability", "expectedrevenue", "totalopportunityquantity", "isclosed",
            "iswon", "forecastcategory", "forecastcategoryname", "campaignid", "pricebook2id", "nextstep",
            "laststagechangedate", "fiscalyear", "fiscalquarter", *_SYSTEM,
        ),
    ),
)  # fmt: skip
