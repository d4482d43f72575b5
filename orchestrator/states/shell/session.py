"""The signed-in user as the shell shows them, and logging out."""

import reflex as rx

from orchestrator.domain.users import Role
from orchestrator.states.shared.guards import public, signed_in
from orchestrator.states.shared.identity import find_actor, forget, token_of
from orchestrator.states.shell.notifications import NotificationsState
from orchestrator.states.shell.running_jobs import RunningJobsState
from orchestrator.states.shell.worker_status import WorkerStatusState

_LOG_OUT = """
(async () => {
  const post = {method: 'POST', credentials: 'same-origin'};
  try { await fetch('/api/v1/auth/logout', post); } catch (e) {}
  sessionStorage.clear();
  window.location.assign('/login');
})()
"""
"""Ends the session over HTTP (a websocket cannot delete a cookie), and clears the tab's storage."""


class SessionState(rx.State):
    """The signed-in user. Empty until a page has loaded it."""

    user_id: int = 0
    username: str = ""
    email: str = ""
    is_admin: bool = False
    loaded: bool = False

    @rx.var
    def is_signed_in(self) -> bool:
        return self.user_id > 0

    @rx.event
    @signed_in
    async def load(self):
        """The first on_load of every page that needs a session; starts the live parts of the shell."""
        await self._load_user()
        return [RunningJobsState.watch, WorkerStatusState.watch, NotificationsState.watch]

    @rx.event
    @public
    async def load_public(self):
        """on_load of pages for everyone, which show who is signed in if anyone is."""
        await self._load_user()

    @rx.event
    @public
    async def log_out(self):
        """Resets all states of this tab, then ends the session over HTTP."""
        forget(token_of(self))
        self._reset_tab()
        return rx.call_script(_LOG_OUT)

    async def _load_user(self) -> None:
        actor = await find_actor(self)
        if actor is None or (self.user_id and self.user_id != actor.user_id):
            # Another user in the same tab must not see the rows of the one before.
            self._reset_tab()
        if actor is not None:
            self.user_id, self.username, self.email = actor.user_id, actor.username, actor.email
            self.is_admin = actor.role is Role.ADMIN
        self.loaded = True

    def _reset_tab(self) -> None:
        """Resets all states of this tab."""
        self._get_root_state().reset()


def is_signed_in(root: rx.State) -> bool:
    """Whether the tab of this root state shows a user."""
    found = root
    for part in SessionState.get_full_name().split(".")[1:]:
        if part not in found.substates:
            return False
        found = found.substates[part]
    return bool(getattr(found, "user_id", 0))
