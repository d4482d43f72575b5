"""Any websocket client can call any public method of a State: each one says who may, or this fails."""

import importlib
import inspect
import pkgutil

import pytest
import reflex as rx

from orchestrator import states
from orchestrator.states.shared.guards import MARK

# Reflex adds this one to each State; it refuses names outside the list of settable ones, which is empty here.
GIVEN = {"setvar"}


def all_states() -> list[type[rx.State]]:
    for module in pkgutil.walk_packages(states.__path__, "orchestrator.states."):
        importlib.import_module(module.name)
    found: list[type[rx.State]] = []
    queue: list[type[rx.State]] = [rx.State]
    while queue:
        for child in queue.pop().get_substates():
            queue.append(child)  # type: ignore[arg-type]
            if child.__module__.startswith("orchestrator."):
                found.append(child)  # type: ignore[arg-type]
    return found


_HANDLERS = [
    pytest.param(handler.fn, id=f"{state.__name__}.{name}")
    for state in all_states()
    for name, handler in state.event_handlers.items()
    if name not in GIVEN
]


def test_all_states_are_found() -> None:
    assert len(_HANDLERS) >= 250, "handlers are missing: are the folders of states/ walked?"


def test_every_state_is_named_as_one() -> None:
    """A reader sees at each use of a class that it is a state; mixins are named by what they add."""
    assert [state.__qualname__ for state in all_states() if not state.__name__.endswith("State")] == []


@pytest.mark.parametrize("handler", _HANDLERS)
def test_handler_says_who_may_call_it(handler: object) -> None:
    assert getattr(handler, MARK, "") in ("signed_in", "public"), "put @signed_in or @public under @rx.event"


@pytest.mark.parametrize("handler", _HANDLERS)
def test_handler_is_async(handler: object) -> None:
    assert inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler)
