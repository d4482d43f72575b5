"""Odd arguments in websocket events: each handler gets only what its parameters can take, and fails at none of it."""

import asyncio
import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.states.shared import guards
from orchestrator.websocket.namespace import event_problem
from tests.api_client import sign_in
from tests.integration.test_api_ownership import things_of
from tests.integration.test_handler_ownership import GIVEN, HANDLERS, Waits, all_states, run_at_once
from tests.tabs import state_in, tab

__all__ = ["run_at_once"]
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**53, 10**30, 1e308, 0.5, float("nan"), "", "\u00b2", "9" * 25, "-1", "x" * 100_000,
    "../../etc/passwd", "\u202e", "\ud800", "a\0b", [], [1], {}, {"a": [1]},
)  # fmt: skip
FIELDS = ("name", "login", "password", "email", "username", "token", "repo", "count", "share", "seed", "title", "days")
PUBLIC = {
    f"{state.__name__}.{name}": (state, name)
    for state in all_states()
    for name, handler in state.event_handlers.items()
    if name not in GIVEN and getattr(handler.fn, guards.MARK) == "public"
}
"""What people without a login may call: the forms of login and sign-up."""
REGISTERED: dict[str, Any] = {
    name: SimpleNamespace(handler=kind.event_handlers[short]) for name, (kind, short) in (HANDLERS | PUBLIC).items()
}


def payloads(handler: str) -> Iterator[dict[str, Any]]:
    """Each odd value in each argument, the others as they are usual; and without arguments."""
    parameters = list(inspect.signature(REGISTERED[handler].handler.fn).parameters.values())[1:]
    usual: dict[Any, Any] = {str: "1", int: 1, bool: True}
    arguments = {one.name: usual.get(one.annotation, {"name": "a"}) for one in parameters}
    yield {}
    for name in arguments:
        for value in ODD:
            yield arguments | {name: value}
            if name not in usual and isinstance(arguments[name], dict):
                yield arguments | {name: dict.fromkeys(FIELDS, value)}


def test_each_handler_takes_what_is_let_in(redis_server: object, run_at_once: None) -> None:
    forget_clients()
    owner = sign_in("ada")
    ids = things_of(int(owner.get("/api/v1/me").json()["id"]))
    page = f"/datasets/{ids['dataset_id']}"
    # One of the session's handlers ends it.
    handlers = {name: found for name, found in HANDLERS.items() if found[0].__name__ != "SessionState"}
    let_in, refused, failed = asyncio.run(_try_all(handlers, owner.cookies[COOKIE_NAME], page))
    assert failed == []
    assert refused > let_in > 100


@pytest.mark.parametrize(
    "page", ["/login?next=//evil.example", "/signup?next=%2Fjobs%2F1&next=http://[a", "/login?%FF=%00"]
)
@pytest.mark.parametrize("cookie", ["", "a" * 5_000, "\u00ff\ud800"])
def test_forms_without_a_login_take_what_is_let_in(redis_server: object, page: str, cookie: str) -> None:
    assert {"LoginState.submit", "SignupState.submit", "SignupState.rate_password"} <= PUBLIC.keys()
    let_in, refused, failed = asyncio.run(_try_all(PUBLIC, cookie, page))
    assert failed == []
    assert refused > 10
    assert let_in > 30


async def _try_all(handlers: dict[str, Any], token: str, page: str) -> tuple[int, int, list[str]]:
    let_in, refused, failed = 0, 0, list[str]()
    for name, (kind, short) in handlers.items():
        tried = list[str]()
        state = state_in(tab(token, page), kind)
        forget_clients()  # so that the limits of guesses and sign-ups do not answer for what lies behind them
        for payload in payloads(name):
            data = {"name": name, "payload": payload, "router_data": {}}
            if event_problem(data, REGISTERED)[0]:
                refused += 1
            elif (typed := repr(data["payload"])) not in tried and len(tried) < MOST_CALLS:
                tried.append(typed)
                let_in += 1
                failed += await _failure(name, state.event_handlers[short].fn, state, data["payload"])
    return let_in, refused, failed


MOST_CALLS = 12
"""Of one handler."""


async def _failure(name: str, handler: Any, state: Any, payload: Any) -> list[str]:
    """What it raised, besides refusals, which the guard makes a toast of."""

    async def call() -> None:
        made = handler(state, **payload)
        if inspect.isasyncgen(made):
            async for _ in made:
                pass
        else:
            await made

    try:
        await asyncio.wait_for(call(), 0.3)
    except (Waits, TimeoutError):
        pass  # it waits for live records
    except Exception as error:
        return [f"{name} {str(payload)[:120]}: {error!r}"[:300]]
    return []
