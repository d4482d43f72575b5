"""Two people never see each other's things, by the websocket either: every handler, called with the other's ids."""

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


class Rest(Exception):
    """A background handler would wait here."""


FOLDERS = ("datasets", "models", "adapters", "jobs", "playground", "settings")
"""Folders of states/ that are about one noun with an address of its own."""

SEES = (
    "DatasetsState.load",
    "DatasetDialogs.open_edit",
    "DatasetDialogs.open_delete",
    "DatasetDetailState.load",
    "DatasetVersions.look",
    "DatasetClips.open_clip",
    "ModelsState.load",
    "ModelDetailState.load",
    "ModelDialogs.open_delete",
    "AdapterDetailState.load",
    "JobDetail.load",
    "PlaygroundState.load",
    "SettingsState.load",
    "OverviewState.watch",
)
CHANGES = (
    "DatasetDialogs.save",
    "DatasetVersions.undo",
    "ModelDialogs.save",
    "AdapterDetailState.promote",
    "SettingsState.delete_credential",
    "AdapterDetailState.delete",
    "ModelDialogs.delete",
    "DatasetDialogs.delete",
)
"""What the owner sees and changes by the same calls: a call that could do nothing would prove nothing."""


def id_for(name: str, noun: str, ids: dict[str, str]) -> str:
    """The owner's id that a variable or an argument of this name means on a page of this noun."""
    return ids.get(name) or ids.get(name.replace("_key", "_id")) or ids.get(f"{noun}_id") or "1"


def point_at_the_owners(state: Any, noun: str, ids: dict[str, str]) -> None:
    """As a client may have left it: whatever can name a thing names one of the owner's."""
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
def writes() -> Iterator[list[str]]:
    """The statements that change something."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            found.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    yield found
    event.remove(engine(), "before_cursor_execute", note)


def rows_with(mark: str) -> list[str]:
    """Every row of every table that holds this word."""
    with session_scope() as session:
        rows = [
            str(row)
            for table in SQLModel.metadata.tables.values()
            for row in session.connection().execute(table.select())
        ]
    return sorted(row for row in rows if mark in row)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background handlers run as they are, up to their first rest."""

    async def over(_seconds: float, *_: object) -> None:
        raise Rest

    async def enter(self: Any) -> Any:
        return self

    async def leave(*_: object) -> None: ...

    monkeypatch.setattr(BaseState, "__aenter__", enter)
    monkeypatch.setattr(BaseState, "__aexit__", leave)
    monkeypatch.setattr(asyncio, "sleep", over)


async def touch(token: str, handler: str, ids: dict[str, str], patience_s: float = 2.0) -> tuple[str, bool]:
    """What the tab is told, and whether the ledger was written to."""
    kind, name = HANDLERS[handler]
    folder = kind.__module__.split(".")[2]
    noun = folder.removesuffix("s") if folder in FOLDERS else "overview"
    root = tab(token, f"/{noun}s/{id_for('', noun, ids)}")
    state = state_in(root, kind)
    point_at_the_owners(state, noun, ids)

    with writes() as written:
        try:
            await asyncio.wait_for(call(state, name, noun, ids), patience_s)
        except (Rest, TimeoutError):
            pass  # it waits for news
        except Exception as error:
            print(handler, repr(error))
    return str(root.get_delta()), bool(written)


def test_every_handler_is_deaf_to_strangers(redis_server: object, at_once: None) -> None:
    forget_clients()
    owner, stranger = sign_in("ada"), sign_in("bob")
    ids = things_of(int(owner.get("/api/v1/me").json()["id"]))
    asyncio.run(_walk(owner.cookies[COOKIE_NAME], stranger.cookies[COOKIE_NAME], ids))


async def _walk(owner: str, stranger: str, ids: dict[str, str]) -> None:
    before = rows_with(MARK)
    for handler in HANDLERS:
        told, written = await touch(stranger, handler, ids, 0.3)
        assert MARK not in told, handler
        assert not written or rows_with(MARK) == before, handler
    for handler in SEES:
        assert MARK in (await touch(owner, handler, ids))[0], handler
    before = rows_with("")
    for handler in CHANGES:
        assert (await touch(owner, handler, ids))[1], handler
        assert rows_with("") != before, handler
        before = rows_with("")
