"""What every template may ask of the site."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, Any]:
    """``is_demo`` and ``base_currency``."""
    return {"is_demo": settings.IS_DEMO, "base_currency": settings.BASE_CURRENCY}
