"""Spans of time as PostgreSQL knows them."""

from __future__ import annotations

from django.db import models
from django.db.models import Func


class TimeRange(Func):
    """`[from, to)`; an unknown beginning or a missing end is unbounded."""

    function = "tstzrange"
    output_field = models.TextField()
