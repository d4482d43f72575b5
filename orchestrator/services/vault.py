"""Encrypts secrets before they are stored, with a key that is not in the database."""

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from orchestrator.domain.errors import Conflict
from orchestrator.settings import get_settings

CREDENTIALS, WEBHOOKS = "credentials", "webhook secrets"


def seal(values: dict[str, Any], purpose: str = CREDENTIALS) -> str:
    """Encrypts and signs (Fernet: AES-128-CBC with HMAC-SHA256), with a key of its own for each purpose."""
    return _cipher(purpose).encrypt(json.dumps(values).encode()).decode()


def unseal(text: str, purpose: str = CREDENTIALS) -> dict[str, Any]:
    """Decrypts what `seal` made for this purpose.

    Raises:
        Conflict: the secret key has changed since.
    """
    try:
        return json.loads(_cipher(purpose).decrypt(text.encode(errors="replace")))
    except InvalidToken:
        raise Conflict(
            "These credentials were stored under another secret key. Delete them and add them again."
        ) from None


def _cipher(purpose: str) -> Fernet:
    # A derived key of its own: other keys that are derived from the secret cannot decrypt this.
    digest = hashlib.sha256(f"loreel {purpose}\0".encode() + get_settings().resolved_secret_key().encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
