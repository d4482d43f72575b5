"""Keeps a list's filters in the address, so that a reload, a bookmark or a shared link shows the same list."""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

import reflex as rx


def remember(path: str, **filters: str) -> rx.event.EventSpec:
    """Writes the filters that are set into the address bar, without a page load and without a new history entry."""
    query = urlencode({name: value for name, value in filters.items() if value})
    address = json.dumps(f"{path}?{query}" if query else path)
    return rx.call_script(f"window.history.replaceState(window.history.state, '', {address})")


def filter_of(state: Any, name: str, allowed: Collection[str] | None = None, limit: int = 80) -> str:
    """A filter from the address; one that is not among `allowed` counts as not set."""
    value = str(state.router.url.query_parameters.get(name, ""))[:limit]
    return value if allowed is None or value in allowed else ""


def is_on(state: Any, path: str) -> bool:
    """Whether this tab still shows `path` (a background event asks before each look)."""
    return state.router.url.path.rstrip("/") == path.rstrip("/")
