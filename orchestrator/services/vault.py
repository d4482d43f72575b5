"""Encrypts secrets before they are stored, with a key that is not in the database."""

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from orchestrator.domain.errors import Conflict
from orchestrator.settings import get_settings


def seal(values: dict[str, Any]) -> str:
    """Encrypts and signs (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _cipher().encrypt(json.dumps(values).encode()).decode()


def unseal(text: str) -> dict[str, Any]:
    """Decrypts what `seal` made.

    Raises:
        Conflict: the secret key has changed since.
    """
    try:
        return json.loads(_cipher().decrypt(text.encode()))
    except InvalidToken:
        raise Conflict(
            "These credentials were stored under another secret key. Delete them and add them again."
        ) from None


def _cipher() -> Fernet:
    # A derived key of its own: other keys that are derived from the secret cannot decrypt this.
    digest = hashlib.sha256(b"loreel credentials\0" + get_settings().resolved_secret_key().encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
