"""Creates the secrets of cookies and API tokens; the database stores only their SHA-256."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """32 random bytes as URL-safe text."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """The hash that the database stores. It needs no salt: a secret has 256 random bits."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
