"""The fifths of leads by which a score's quality is told."""

from __future__ import annotations

import numpy as np

from crm.rules.scoring.training import calibration


def test_fifths_hold_as_many_leads_however_many_moments_each_is_known_from() -> None:
    """The first hundred leads are known from one moment each, the second hundred from four that weigh a quarter."""
    weights = np.array([1.0] * 100 + [0.25] * 400)
    found = np.linspace(0.01, 0.99, len(weights))
    fifths = calibration(found, np.zeros(len(weights)), weights)
    assert [fifth["leads"] for fifth in fifths] == [40.0] * 5
    assert [fifth["foretold"] for fifth in fifths] == sorted(fifth["foretold"] for fifth in fifths)


def test_fewer_leads_than_fifths_leave_none_empty() -> None:
    assert [fifth["leads"] for fifth in calibration(np.array([0.2, 0.4]), np.zeros(2), np.ones(2))] == [1.0, 1.0]
