"""HubSpot: its exports in English and Russian, and its tables as Fivetran copies them into a warehouse."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

_OWNER_IDS = ("property_hubspot_owner_id", "hubspot_owner_id", "hubspot owner id", "owner_id", "owner id")
"""Who that is here, is asked."""
_STAGES = {
    "closed won": "", "closedwon": "", "закрытая успешная": "", "сделка заключена": "",
    "closed lost": "", "closedlost": "", "закрытая неуспешная": "", "сделка сорвалась": "",
}  # fmt: skip
_OUTCOMES = {
    "closed won": "won", "closedwon": "won", "закрытая успешная": "won", "сделка заключена": "won",
    "closed lost": "lost", "closedlost": "lost", "закрытая неуспешная": "lost", "сделка сорвалась": "lost", "*": "open",
}  # fmt: skip

VOCABULARIES = (
    Vocabulary(
        "HubSpot",
        "companies",
        {
            "external_id": ("record id", "id", "идентификатор записи"),
            "name": ("company name", "property_name", "название компании"),
            "domain": ("company domain name", "website url", "domain name", "property_domain", "url веб-сайта"),
            "industry": ("industry", "property_industry", "отрасль"),
            "country": ("country/region", "country", "property_country", "страна/регион"),
            "employees": ("number of employees", "property_numberofemployees", "количество сотрудников"),
            "owner": ("company owner", "ответственный за компанию", *_OWNER_IDS),
        },
        telling=(
            "create date", "is_deleted", "_fivetran_synced", "property_description", "property_createdate",
            "property_address", "property_address_2", "property_city", "property_state", "property_annualrevenue",
        ),
    ),
    Vocabulary(
        "HubSpot",
        "contacts",
        {
            "external_id": ("record id", "id", "идентификатор записи"),
            "first_name": ("first name", "property_firstname", "имя"),
            "last_name": ("last name", "property_lastname", "фамилия"),
            "email": ("email", "property_email", "property_email_1", "электронная почта"),
            "phone": ("phone number", "mobile phone number", "property_phone", "номер телефона"),
            "company": ("company name", "associated company", "property_company", "название компании"),
            "company_id": ("associated company ids", "primary associated company id", "property_associatedcompanyid"),
            "position": ("job title", "property_jobtitle", "должность"),
            "owner": ("contact owner", "ответственный за контакт", *_OWNER_IDS),
        },
        telling=(
            "lead status", "_fivetran_deleted", "_fivetran_synced", "property_createdate",
            "property_annualrevenue", "property_hs_merged_object_ids", "property_created_at",
        ),
    ),
    Vocabulary(
        "HubSpot",
        "deals",
        {
            "external_id": ("record id", "deal_id", "идентификатор записи"),
            "name": ("deal name", "property_dealname", "название сделки"),
            "stage_outcome": ("deal stage", "property_dealstage", "этап сделки"),
            "pipeline": ("pipeline", "property_pipeline", "воронка"),
            "amount": ("amount", "property_amount", "сумма"),
            "currency": ("currency", "deal currency code", "property_deal_currency_code"),
            "owner": ("deal owner", "ответственный за сделку", *_OWNER_IDS),
            "company": ("associated company", "primary associated company"),
            "company_id": ("associated company ids", "primary associated company id"),
            "source": ("lead source", "original source", "original traffic source"),
            "created_at": ("create date", "property_createdate", "дата создания"),
            "closed_at": ("close date", "property_closedate", "дата закрытия"),
            "lost_reason": ("closed lost reason", "property_closed_lost_reason"),
        },
        values={"stage": _STAGES, "outcome": _OUTCOMES},
        telling=(
            "associated contact ids", "date entered current stage", "deal_pipeline_id",
            "deal_pipeline_stage_id", "portal_id", "is_deleted", "property_description",
        ),
    ),
)  # fmt: skip
