"""Odoo: its import templates and exports, by labels in English and Russian and by field names."""

from crm.rules.records.vocabularies.vocabulary import Vocabulary

VOCABULARIES = (
    Vocabulary(
        "Odoo",
        "leads",
        {
            "external_id": ("external id", "id", "внешний идентификатор"),
            "name": ("contact name", "contact_name", "имя контакта"),
            "title_name": ("name", "opportunity", "возможность"),
            "company": ("company name", "partner_name", "customer", "partner_id", "название компании", "клиент"),
            "email": ("email", "email_from", "эл. почта", "email нормализованный"),
            "phone": ("phone", "mobile", "телефон", "мобильный"),
            "source": ("source", "source_id", "источник"),
            "campaign": ("campaign", "campaign_id", "кампания"),
            "message": ("notes", "заметки"),
            "owner": ("salesperson", "user_id", "продавец"),
            "created_at": ("created on", "create_date", "создано"),
        },
        telling=(
            "job position", "street", "street2", "city", "state", "zip", "website", "sales team", "tags",
            "должность", "улица", "город", "индекс", "веб-сайт", "отдел продаж",
        ),
    ),
    Vocabulary(
        "Odoo",
        "deals",
        {
            "name": ("opportunity", "возможность"),
            "external_id": ("external id", "внешний идентификатор"),
            "company": ("customer", "partner_id", "клиент"),
            "contact_name": ("contact name", "contact_name", "имя контакта"),
            "contact_phone": ("phone", "mobile", "телефон", "мобильный"),
            "contact_email": ("email", "email_from", "эл. почта"),
            "stage": ("stage", "stage_id", "этап"),
            "amount": ("expected revenue", "expected_revenue", "planned_revenue", "ожидаемый доход"),
            "owner": ("salesperson", "user_id", "продавец"),
            "source": ("source", "source_id", "источник"),
            "campaign": ("campaign", "campaign_id", "кампания"),
            "created_at": ("created on", "create_date", "создано"),
            "expected_close_on": ("expected closing", "date_deadline", "ожидаемое закрытие"),
            "lost_reason": ("lost reason", "lost_reason_id", "причина потери"),
        },
        telling=("probability", "sales team", "priority", "вероятность", "отдел продаж"),
    ),
    Vocabulary(
        "Odoo",
        "contacts",
        {
            "external_id": ("external id", "id", "внешний идентификатор"),
            "name": ("name", "display name", "complete name", "имя"),
            "email": ("email", "эл. почта"),
            "phone": ("phone", "mobile", "телефон", "мобильный"),
            "company": ("company_name", "company name", "parent_id", "related company", "название компании"),
            "position": ("function", "job position", "должность"),
            "owner": ("salesperson", "user_id", "продавец"),
        },
        telling=(
            "is_company", "country_id", "state_id", "zip", "city", "street", "street2", "vat", "bank_ids/bank",
            "bank_ids/acc_number", "is a company", "tax id",
        ),
    ),
)  # fmt: skip
