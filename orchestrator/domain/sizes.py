"""Sizes in sentences of the services: how large something is, and how much of an interrupted fetch is here."""

_NBSP = "\u00a0"
"""No-break space: a narrow page does not separate a number from its unit."""


def format_size(count: int) -> str:
    """Bytes in decimal units: 60_123_456 -> "60.1 MB", 4_096 -> "4.1 KB"; with a no-break space."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if count >= limit:
            return f"{count / limit:,.1f}{_NBSP}{unit}"
    return f"{count}{_NBSP}bytes"


def resumable_note(byte_count: int, again: str) -> str:
    """What the sentence of an interrupted fetch adds about the bytes that arrived; "" when they are few.

    Args:
        again: what a user does to continue: "fetching it again", "trying again".
    """
    return (
        f" {format_size(byte_count)} are here; {again} within two days continues from there."
        if byte_count >= 1000
        else ""
    )
