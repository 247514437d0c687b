"""Facts that belong to the figures alone."""

from metrics.models.spend import Spend

__all__ = ["Spend"]
