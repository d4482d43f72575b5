"""Makes the secrets that browsers and scripts carry; the ledger keeps only their SHA-256."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """32 random bytes as URL-safe text."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What the ledger keeps. No salt is needed: the secret has 256 random bits."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
