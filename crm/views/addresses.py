"""What a request says of other pages and rows, read without trust: a number, a page of a list, the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme

MOST_DIGITS = 18
"""More than any id or version has; Python itself refuses to read thousands of digits."""


def whole_number(text: str | None) -> int | None:
    """Return the number that `text` writes in digits alone, or None."""
    return int(text) if text and text.isdecimal() and len(text) <= MOST_DIGITS else None


def whole_numbers(text: str, *, most: int) -> list[int]:
    """Return the ids that part of an address names, as in `5-7`, none twice; Http404 where it is anything else."""
    numbers = [whole_number(part) for part in text.split("-")[: most + 1]]
    if len(numbers) > most or None in numbers:
        raise Http404
    return sorted({number for number in numbers if number is not None})


def page_asked(request: HttpRequest, *, last: int) -> int:
    """Return the page that `?page=` names, the first without it; Http404 where it is none from 1 to `last`."""
    page = whole_number(request.GET.get("page", "1"))
    if page is None or not 1 <= page <= last:
        raise Http404
    return page


def page_of(rows: Any, request: HttpRequest, *, size: int) -> Page[Any]:
    """Return the page of `rows` that `?page=` names, the first without it; Http404 where it is no number.

    Beyond the last it is the last: on a list that is worked off, a page's rows are gone when one comes back to it.
    """
    number = whole_number(request.GET.get("page", "1"))
    if not number:
        raise Http404
    return Paginator(rows, size).get_page(number)


def way_back(request: HttpRequest, field: str) -> str:
    """Return the path that the posted `field` names, or the address does; "" where it is not a page of ours."""
    path = request.POST.get(field) or request.GET.get(field, "")
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours else ""


def asking(path: str, **changes: str) -> str:
    """Return `path` with these values in its query; an empty one is taken out of it."""
    parts = urlsplit(path)
    query = QueryDict(parts.query, mutable=True)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return parts._replace(query=query.urlencode(safe=",")).geturl()
