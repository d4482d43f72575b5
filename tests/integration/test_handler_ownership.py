"""No event handler shows or changes another user's records: every handler is called with the ids of another user."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from reflex.state import BaseState
from sqlalchemy import event
from sqlmodel import SQLModel

from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import engine, session_scope
from orchestrator.states.shared import guards
from tests.api_client import sign_in
from tests.architecture.test_handlers_are_marked import GIVEN, all_states
from tests.integration.test_api_ownership import MARK, things_of
from tests.tabs import state_in, tab

HANDLERS = {
    f"{state.__name__}.{name}": (state, name)
    for state in all_states()
    for name, handler in state.event_handlers.items()
    if name not in GIVEN and getattr(handler.fn, guards.MARK) == "signed_in"
}


class Waits(Exception):
    """Raised where a background handler would wait."""


FOLDERS = ("datasets", "models", "adapters", "jobs", "playground", "settings")
"""Folders of states/ whose pages have addresses such as /datasets/7."""

SHOWING = (
    "DatasetsState.load",
    "DatasetDialogsState.open_edit",
    "DatasetDialogsState.open_delete",
    "DatasetDetailState.load",
    "DatasetVersionsState.load",
    "DatasetClipsState.open_clip",
    "ModelsState.load",
    "ModelDetailState.load",
    "ModelDialogsState.open_delete",
    "AdapterDetailState.load",
    "JobDetailState.load",
    "PlaygroundState.load",
    "SettingsState.load",
    "OverviewState.watch",
)
CHANGING = (
    "DatasetDialogsState.save",
    "DatasetVersionsState.undo",
    "ModelDialogsState.save",
    "AdapterDetailState.promote",
    "SettingsState.delete_credential",
    "AdapterDetailState.delete",
    "ModelDialogsState.delete",
    "DatasetDialogsState.delete",
)
"""What the owner can see and change by the same calls: without that check, calls without any effect would pass."""


def id_for(name: str, noun: str, ids: dict[str, str]) -> str:
    """The owner's id that a var or an argument of this name stands for on a page about this noun."""
    return ids.get(name) or ids.get(name.replace("_key", "_id")) or ids.get(f"{noun}_id") or "1"


def set_ids_of_owner(state: Any, noun: str, ids: dict[str, str]) -> None:
    """Sets each var that can name a record to one of the owner's, as a client may do."""
    for name, base in state.base_vars.items():
        kind, value = base._var_type, getattr(state, name)
        if (kind is int and value == 0) or (
            kind is str and value == "" and name in ("target", "title", "typed", "edited")
        ):
            setattr(state, name, kind(id_for(name, noun, ids)))
    for name in ("name", "description"):
        if isinstance(getattr(state, name, None), str):
            setattr(state, name, "mine")


def argument(parameter: inspect.Parameter, noun: str, ids: dict[str, str]) -> Any:
    value = {"split": "train"}.get(parameter.name) or id_for(parameter.name, noun, ids)
    form = {"count": 1, "share": "20", "seed": "1", "token": "hf_x", "repo": "bob/mine"}
    kinds = {int: lambda: int(value), bool: lambda: True, str: lambda: value}
    return kinds.get(parameter.annotation, lambda: form)()


async def call(state: Any, name: str, noun: str, ids: dict[str, str]) -> None:
    fn = state.event_handlers[name].fn
    made = fn(state, *(argument(p, noun, ids) for p in list(inspect.signature(fn).parameters.values())[1:]))
    if inspect.isasyncgen(made):
        async for _ in made:
            pass
    else:
        await made


@contextmanager
def recorded_writes() -> Iterator[list[str]]:
    """The SQL statements that change something."""
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            statements.append(statement)

    event.listen(engine(), "before_cursor_execute", record)
    yield statements
    event.remove(engine(), "before_cursor_execute", record)


def rows_with(mark: str) -> list[str]:
    """Every row of every table that contains this word."""
    with session_scope() as session:
        rows = [
            str(row)
            for table in SQLModel.metadata.tables.values()
            for row in session.connection().execute(table.select())
        ]
    return sorted(row for row in rows if mark in row)


@pytest.fixture
def run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background handlers run up to the point where they would wait."""

    async def no_sleep(_seconds: float, *_: object) -> None:
        raise Waits

    async def enter(self: Any) -> Any:
        return self

    async def leave(*_: object) -> None: ...

    monkeypatch.setattr(BaseState, "__aenter__", enter)
    monkeypatch.setattr(BaseState, "__aexit__", leave)
    monkeypatch.setattr(asyncio, "sleep", no_sleep)


async def call_as(token: str, handler: str, ids: dict[str, str], timeout_s: float = 15.0) -> tuple[str, bool]:
    """What the tab receives, and whether the database was written to."""
    kind, name = HANDLERS[handler]
    folder = kind.__module__.split(".")[2]
    noun = folder.removesuffix("s") if folder in FOLDERS else "overview"
    root = tab(token, f"/{noun}s/{id_for('', noun, ids)}")
    state = state_in(root, kind)
    set_ids_of_owner(state, noun, ids)

    with recorded_writes() as written:
        try:
            await asyncio.wait_for(call(state, name, noun, ids), timeout_s)
        except (Waits, TimeoutError):
            pass  # it waits for live records
        except Exception as error:
            print(handler, repr(error))
    return str(root.get_delta()), bool(written)


def test_no_handler_shows_or_changes_records_of_another_user(redis_server: object, run_at_once: None) -> None:
    forget_clients()
    owner, other = sign_in("ada"), sign_in("bob")
    ids = things_of(int(owner.get("/api/v1/me").json()["id"]))
    asyncio.run(_call_all(owner.cookies[COOKIE_NAME], other.cookies[COOKIE_NAME], ids))


async def _call_all(owner: str, other: str, ids: dict[str, str]) -> None:
    before = rows_with(MARK)
    for handler in HANDLERS:
        received, written = await call_as(other, handler, ids, 0.3)
        assert MARK not in received, handler
        assert not written or rows_with(MARK) == before, handler
    for handler in SHOWING:
        assert MARK in (await call_as(owner, handler, ids))[0], handler
    before = rows_with("")
    for handler in CHANGING:
        assert (await call_as(owner, handler, ids))[1], handler
        assert rows_with("") != before, handler
        before = rows_with("")
