"""The declared KPIs, by subject; KPIS holds them all in the order in which they are read."""

from metrics.kpi import Kpi
from metrics.kpis import customers, deals, leads, stages, work

KPIS: dict[str, Kpi] = {kpi.key: kpi for module in (leads, deals, stages, customers, work) for kpi in module.DECLARED}

__all__ = ["KPIS"]
