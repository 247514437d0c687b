"""The declared KPIs, by subject; KPIS holds them all in the order in which they are read."""

from metrics.kpi import Kpi
from metrics.kpis import costs, customers, deals, leads, stages, work

SUBJECTS: dict[str, tuple[Kpi, ...]] = {
    "Leads": leads.DECLARED,
    "Deals": deals.DECLARED,
    "Stages": stages.DECLARED,
    "Customers": customers.DECLARED,
    "Costs": costs.DECLARED,
    "Follow-ups": work.DECLARED,
}
KPIS: dict[str, Kpi] = {kpi.key: kpi for declared in SUBJECTS.values() for kpi in declared}

__all__ = ["KPIS", "SUBJECTS"]
