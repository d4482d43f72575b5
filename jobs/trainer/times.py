"""Reads the times that records carry."""

from datetime import datetime


def seconds_of(iso: str) -> float:
    """Seconds since 1970 of an ISO time."""
    return datetime.fromisoformat(iso).timestamp()
