"""What comes in over the websocket passes here first: events that no page of ours sends never reach Reflex."""

import time
from collections.abc import Mapping
from typing import Any

import structlog
from reflex.app import EventNamespace
from reflex.state import StateUpdate
from reflex_base.event import Event

from orchestrator.domain.plain_text import value_problem
from orchestrator.ui.primitives.toast import toast
from orchestrator.websocket.payloads import WrongPayload, typed_payload
from orchestrator.websocket.tab_states import TabStates
from orchestrator.websocket.tab_tasks import end_tasks_of_tab

log = structlog.get_logger(__name__)
EVENTS_PER_SECOND = 60.0
BURST = 240.0
_OLD_PAGE = "This page is older than the studio. Reload it."
_UNREADABLE = "This could not be read. Reload the page and try again."
_TOO_FAST = "Too much at once. Wait a moment."
_LONGEST_NAME = 120


class _Budget:
    """How many events a socket may send: a burst, then a steady rate."""

    __slots__ = ("left", "since")

    def __init__(self) -> None:
        self.left, self.since = BURST, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.since) * EVENTS_PER_SECOND)
        self.since = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def event_problem(data: Any, handlers: Mapping[str, Any]) -> tuple[str, str]:
    """(word for the log, sentence for the person) for an event that is not let in; ("", "") for a good one, whose
    arguments then have the types that the handler takes.

    Args:
        handlers: all event handlers by their names, as Reflex registers them.
    """
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return "unreadable", _UNREADABLE
    payload, router = data.get("payload", {}), data.get("router_data", {})
    if not isinstance(payload, dict) or not isinstance(router, dict):
        return "unreadable", _UNREADABLE
    if data["name"] not in handlers:
        return "unknown_handler", _OLD_PAGE
    if found := value_problem(payload) or value_problem(router):
        return "not_storable", found[1]
    try:
        data["payload"] = typed_payload(handlers[data["name"]].handler.fn, payload)
    except WrongPayload:
        return "wrong_arguments", _UNREADABLE
    return "", ""


class GuardedNamespace(EventNamespace):
    """Reflex's namespace behind one check. No payload, header, cookie or tab token is ever logged here."""

    def __init__(self, namespace: str, app: Any) -> None:
        super().__init__(namespace, app)
        self._budgets: dict[str, _Budget] = {}

    async def on_event(self, sid: str, data: Any) -> None:
        """Lets a good event through; for any other the tab gets a sentence, and the log a line a minute."""
        word, sentence = self._refusal(sid, data)
        if not word:
            try:
                await super().on_event(sid, data)
            except Exception as error:
                log.error("websocket.event_failed", error=type(error).__name__)
            return
        name = data.get("name") if isinstance(data, dict) else None
        known = name if word != "unknown_handler" and isinstance(name, str) else ""
        log.info("websocket.event_refused", why=word, handler=known[:_LONGEST_NAME])
        await self._say(sid, sentence)

    def _refusal(self, sid: str, data: Any) -> tuple[str, str]:
        if not self._budgets.setdefault(sid, _Budget()).take():
            return "too_many", _TOO_FAST
        return event_problem(data, self._handlers())

    def _handlers(self) -> Mapping[str, Any]:
        return self.app._registration_context.event_handlers

    async def _say(self, sid: str, sentence: str) -> None:
        token = self.sid_to_token.get(sid)
        if token is not None:
            await self.emit_update(StateUpdate(events=Event.from_event_type(toast("error", sentence))), token)

    def on_disconnect(self, sid: str) -> Any:
        """Forgets the socket and ends what still runs for its tab."""
        self._budgets.pop(sid, None)
        tab = self.sid_to_token.get(sid, "")
        end_tasks_of_tab(tab)
        states = getattr(self.app, "_state_manager", None)
        if isinstance(states, TabStates):
            states.tab_closed(tab)
        return super().on_disconnect(sid)


def guard_events(app: Any) -> None:
    """Puts the guarded namespace in the place of Reflex's own; a no-op for an app without state."""
    own = app.event_namespace
    if app.sio is not None and own is not None:
        app._event_namespace = GuardedNamespace(own.namespace, app)
        app.sio.register_namespace(app._event_namespace)
