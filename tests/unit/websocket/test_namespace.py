"""Events that no page sends are refused before Reflex sees them, and leave no payload in the log."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from reflex.app import EventNamespace

from orchestrator.states.shared.guards import public
from orchestrator.websocket.namespace import BURST, GuardedNamespace, event_problem

MARK = "MyRealPassw0rd-B"


@public
async def submit(_self: Any, form: dict[str, Any], text: str = "", number: int = 0, switch: bool = False) -> None: ...


HANDLERS: Any = {"state.login.submit": SimpleNamespace(handler=SimpleNamespace(fn=submit))}


def event(name: str = "state.login.submit", **payload: Any) -> dict[str, Any]:
    return {"name": name, "payload": payload, "router_data": {"pathname": "/login"}}


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (event(form={"login": "ada"}), ""),
        (event(form={"login": "Zoë 🎞"}), ""),
        (event("state.gone.submit", password=MARK), "unknown_handler"),
        (event(form={"login": "\ud800"}), "not_storable"),
        (event(form={"login": "a\0b"}), "not_storable"),
        (event(form={"\0": "a"}), "not_storable"),
        (event(form={"number": float("nan")}), "not_storable"),
        (event(form=nested(200)), "not_storable"),
        ({"name": "state.login.submit", "payload": {}, "router_data": {"pathname": "/\0"}}, "not_storable"),
        (event(form={}, number="7", text=7, switch=True), ""),
        (event(form={"__reflex_form_data__": [["login", "ada"], ["tags", ["a", "b"]]]}), ""),
        (event(), "wrong_arguments"),
        (event(form={}, other=1), "wrong_arguments"),
        (event(form={}, self=1), "wrong_arguments"),
        (event(form=[]), "wrong_arguments"),
        (event(form="text"), "wrong_arguments"),
        (event(form={"login": {"a": 1}}), "wrong_arguments"),
        (event(form={"login": [{"a": 1}]}), "wrong_arguments"),
        (event(form={"login": 10**30}), "wrong_arguments"),
        (event(form={"__reflex_form_data__": [["login"]]}), "wrong_arguments"),
        (event(form={"__reflex_form_data__": 5}), "wrong_arguments"),
        (event(form={}, number=10**30), "wrong_arguments"),
        (event(form={}, number="9" * 5000), "wrong_arguments"),
        (event(form={}, number="\u00b2"), "wrong_arguments"),
        (event(form={}, number=1.5), "wrong_arguments"),
        (event(form={}, number=None), "wrong_arguments"),
        (event(form={}, number=True), "wrong_arguments"),
        (event(form={}, switch="true"), "wrong_arguments"),
        (event(form={}, text=[1]), "wrong_arguments"),
        (event(form={}, text={"a": 1}), "wrong_arguments"),
        (event(form={}, text="a" * 1_000_001), "wrong_arguments"),
        ({"name": 3}, "unreadable"),
        ({"name": "state.login.submit", "payload": [1]}, "unreadable"),
        ("text", "unreadable"),
        (None, "unreadable"),
        ([], "unreadable"),
    ],
)
def test_what_is_let_in(data: Any, word: str) -> None:
    found, sentence = event_problem(data, HANDLERS)
    assert found == word
    assert bool(sentence) == bool(word)
    assert MARK not in sentence


@pytest.fixture
def socket(monkeypatch: pytest.MonkeyPatch) -> tuple[GuardedNamespace, list[Any], list[str]]:
    """A namespace with one known tab; what reaches Reflex, and what the tab hears."""
    passed: list[Any] = []
    heard: list[str] = []
    made = GuardedNamespace("/_event", None)

    async def let_in(_self: Any, _sid: str, data: Any) -> None:
        passed.append(data)

    async def say(_sid: str, sentence: str) -> None:
        heard.append(sentence)

    monkeypatch.setattr(EventNamespace, "on_event", let_in)
    monkeypatch.setattr(made, "_say", say)
    monkeypatch.setattr(made, "_handlers", lambda: HANDLERS)
    return made, passed, heard


def test_an_unknown_event_costs_a_word_and_no_payload(
    socket: tuple[GuardedNamespace, list[Any], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    made, passed, heard = socket
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as records:
        asyncio.run(made.on_event("sid", event("state.gone.submit", password=MARK)))
    assert passed == []
    assert heard == ["This page is older than the studio. Reload it."]
    assert [record["why"] for record in records] == ["unknown_handler"]
    assert MARK not in str(records) + caplog.text


def test_a_good_event_reaches_reflex(socket: tuple[GuardedNamespace, list[Any], list[str]]) -> None:
    made, passed, heard = socket
    asyncio.run(made.on_event("sid", event(form={"login": "ada"})))
    assert len(passed) == 1
    assert heard == []


def test_a_flood_is_limited(socket: tuple[GuardedNamespace, list[Any], list[str]]) -> None:
    made, passed, _ = socket

    async def flood() -> None:
        for _ in range(2 * int(BURST)):
            await made.on_event("sid", event(form={}))

    asyncio.run(flood())
    assert BURST <= len(passed) < 1.5 * BURST
    made.on_disconnect("sid")
    assert "sid" not in made._budgets


def test_an_event_that_reflex_cannot_read_raises_nothing(
    socket: tuple[GuardedNamespace, list[Any], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_self: Any, _sid: str, data: Any) -> None:
        raise ValueError(f"Failed to deserialize event data: {data}")

    monkeypatch.setattr(EventNamespace, "on_event", fails)
    with structlog.testing.capture_logs() as records:
        asyncio.run(socket[0].on_event("sid", event(password=MARK)))
    assert MARK not in str(records)
