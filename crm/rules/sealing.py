"""Secrets of other people's servers, kept so that the database alone does not give them away.

Sealed with Fernet under a key derived from SECRET_KEY. After SECRET_KEY has changed, what was sealed before opens while
the old key stands among SECRET_KEY_FALLBACKS; the reader seals each password anew when it next uses it.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from crm.rules.errors import RuleError

PURPOSE = b"voronka: passwords of mailboxes"


class SealBroken(RuleError):
    """Sealed with a key that is gone: the password has to be entered again."""

    code = "seal_broken"


def seal(secret: str) -> str:
    """Return `secret` so that only this installation can read it."""
    return _fernets()[0].encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed; SealBroken where none of our keys opens it."""
    try:
        return MultiFernet(_fernets()).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealBroken(_("The kept password cannot be read any more. Enter it again.")) from error


def is_sealed_with_present_key(sealed: str) -> bool:
    """Whether it opens without the keys that are only kept for what is older."""
    try:
        _fernets()[0].decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _fernets() -> list[Fernet]:
    return [Fernet(_derived(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(key.encode()))
