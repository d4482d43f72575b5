"""Sizes as a sentence says them, below the pages: how much there is, and how much of a fetch is here already."""

_NBSP = "\u00a0"
"""No-break space: a narrow page does not part a number from its unit."""


def format_size(count: int) -> str:
    """Bytes in decimal units: 60_123_456 -> "60.1 MB", 4_096 -> "4.1 KB"; with a no-break space."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if count >= limit:
            return f"{count / limit:,.1f}{_NBSP}{unit}"
    return f"{count}{_NBSP}bytes"


def resumable_note(begun: int, again: str) -> str:
    """What a fetch that broke off says of what arrived; nothing where that is not worth a word.

    Args:
        again: what somebody does to go on: "fetching it again", "trying again".
    """
    return f" {format_size(begun)} are here; {again} within two days goes on from there." if begun >= 1000 else ""
