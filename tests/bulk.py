"""Several rows of a list changed at once, as its page posts them and as it is answered."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse


def post(client: Client, act: str, records: list[Any], name: str = "deals", query: str = "", **said: Any) -> Any:
    chosen = [f"{record.pk}:{record.version}" for record in records]
    return client.post(reverse("bulk_edit", args=[name]) + query, {"act": act, "chosen": chosen, **said})


def told(client: Client, answer: Any) -> list[str]:
    """What an answer says to the person, who has read it then."""
    client.cookies.pop("messages", None)
    return [str(message) for message in get_messages(answer.wsgi_request)]


def undo_url(answer: Any) -> str:
    return next((message.extra_tags for message in get_messages(answer.wsgi_request) if message.extra_tags), "")
