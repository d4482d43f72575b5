"""Seals secrets for the ledger with the installation's key, so that a copy of the database alone gives nothing away."""

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from orchestrator.domain.errors import Conflict
from orchestrator.settings import get_settings


def seal(values: dict[str, Any]) -> str:
    """Encrypts and signs (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _box().encrypt(json.dumps(values).encode()).decode()


def unseal(text: str) -> dict[str, Any]:
    """What was sealed.

    Raises:
        Conflict: the installation's key has changed since.
    """
    try:
        return json.loads(_box().decrypt(text.encode()))
    except InvalidToken:
        raise Conflict(
            "These credentials were stored under another secret key. Delete them and add them again."
        ) from None


def _box() -> Fernet:
    # A key of its own, so that nothing else that is derived from the secret can open the box.
    digest = hashlib.sha256(b"loreel credentials\0" + get_settings().resolved_secret_key().encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
