"""What the web process remembers of each tab, and for how long: an hour, but minutes for tabs without a login."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import StateToken

ANONYMOUS_S = 600.0
"""After the last event of a tab that is open and not signed in."""
CLOSED_ANONYMOUS_S = 120.0
"""After it was closed; a reload within this time finds its state."""


class TabStates(StateManagerMemory):
    """Reflex's states in memory, with a shorter life for tabs that are not signed in.

    Args:
        is_signed_in: whether a tab's root state belongs to a user.
    """

    def __init__(self, is_signed_in: Callable[[Any], bool]) -> None:
        super().__init__()
        self._is_signed_in = is_signed_in

    def _track_token(self, token: StateToken) -> None:
        super()._track_token(token)
        if self._is_anonymous(token.cache_key):
            self._expire_within(token.cache_key, ANONYMOUS_S)

    def tab_closed(self, client_token: str) -> None:
        """Lets go of an anonymous tab soon. A tab of a user keeps its hour: its socket may come back."""
        if client_token in self._token_expires_at and self._is_anonymous(client_token):
            self._expire_within(client_token, CLOSED_ANONYMOUS_S)
            self._restart_purging()

    def _is_anonymous(self, key: str) -> bool:
        state = self.states.get(key)
        return state is not None and not self._is_signed_in(state)

    def _expire_within(self, key: str, seconds: float) -> None:
        expires_at, token = self._token_expires_at[key]
        self._token_expires_at[key] = (min(expires_at, time.time() + seconds), token)

    def _restart_purging(self) -> None:
        """The task that purges sleeps until the deadline that was the next one when it fell asleep."""
        task, self._expiration_task = self._expiration_task, None
        if task is not None:
            task.cancel()
        with contextlib.suppress(RuntimeError):  # no event loop: the next event starts it
            self._ensure_expiration_task()


def use_tab_states(app: Any, is_signed_in: Callable[[Any], bool]) -> TabStates | None:
    """Puts them in the place of Reflex's own; None for an app without state."""
    if app._state_manager is None:
        return None
    app._state_manager = TabStates(is_signed_in)
    return app._state_manager
