"""Reads ids and filters from the address, and writes filters to it, so that a link shows the same list."""

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from orchestrator.domain.numbers import parse_id


def id_in_path(state: Any) -> int:
    """The id at the end of the page's path, such as 7 for /jobs/7; 0 where there is none."""
    return parse_id(str(state.router.url.path).rstrip("/").rpartition("/")[2])


def write_filters(path: str, **filters: str) -> rx.event.EventSpec:
    """Writes the filters that are set into the address bar, without a page load and without a new history entry."""
    return rx.call_script(f"window.history.replaceState(window.history.state, '', {_address(path, filters)})")


def push_filters(path: str, **filters: str) -> rx.event.EventSpec:
    """The same as a new history entry, so that Back returns to the address before, which the page's on_load reads."""
    return rx.call_script(f"window.history.pushState(window.history.state, '', {_address(path, filters)})")


def _address(path: str, filters: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in filters.items() if value})
    return json.dumps(f"{path}?{query}" if query else path)


def read_filter(state: Any, name: str, allowed: Collection[str] | None = None, limit: int = 80) -> str:
    """A filter from the address; one that is not among `allowed` counts as not set."""
    value = str(state.router.url.query_parameters.get(name, ""))[:limit]
    return value if allowed is None or value in allowed else ""


def is_on_page(state: Any, path: str) -> bool:
    """Whether the tab still shows `path`: background events ask this before each refresh."""
    return state.router.url.path.rstrip("/") == path.rstrip("/")
