"""Companies, contacts and contracts."""

from __future__ import annotations

from tests.access.policies import EVERYBODY, OWNERS, READERS, RESTORERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import COMPANY, CONTACT, CONTRACT, DEAL, of

ROWS: dict[str, Row] = {
    # --- Companies and contacts
    "company_list": reads(EVERYBODY, names=READERS),
    "company_detail": reads(READERS, COMPANY),
    "company_export": reads(EVERYBODY, names=READERS),
    "company_create": form(WRITERS),
    "company_edit": form(OWNERS, COMPANY),
    "company_delete": writes(OWNERS, COMPANY),
    "company_restore": writes(RESTORERS, of(pk="deleted_company")),
    "contact_list": reads(EVERYBODY, names=READERS),
    "contact_detail": reads(READERS, CONTACT),
    "contact_export": reads(EVERYBODY, names=READERS),
    "contact_create": form(WRITERS),
    "contact_edit": form(OWNERS, CONTACT),
    "contact_delete": writes(OWNERS, CONTACT),
    "contact_restore": writes(RESTORERS, of(pk="deleted_contact")),
    # --- Contracts
    "deal_contract": form(OWNERS, DEAL),
    "company_contract": form(OWNERS, COMPANY),
    "contract_edit": form(OWNERS, CONTRACT),
    "contract_renew": form(OWNERS, CONTRACT),
    "contract_cancel": form(OWNERS, CONTRACT),
    "contract_resume": writes(OWNERS, CONTRACT),
    "contract_delete": writes(OWNERS, CONTRACT),
    "contract_restore": writes(RESTORERS, of(pk="deleted_contract")),
}
