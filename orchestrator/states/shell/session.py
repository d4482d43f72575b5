"""What the shell knows of the person in front of it, and the way out."""

import reflex as rx

from orchestrator.domain.users import Role
from orchestrator.states.shared.guards import public, signed_in
from orchestrator.states.shared.identity import find_actor, forget, token_of
from orchestrator.states.shell.notifications import NoticesState
from orchestrator.states.shell.running_jobs import RunningState
from orchestrator.states.shell.worker_status import MachinesState

_LEAVE = """
(async () => {
  const post = {method: 'POST', credentials: 'same-origin'};
  try { await fetch('/api/v1/auth/logout', post); } catch (e) {}
  sessionStorage.clear();
  window.location.assign('/login');
})()
"""
"""Ends the session over HTTP (only there can a cookie go), clears what the tab keeps, loads the page anew."""


class SessionState(rx.State):
    """Who is signed in here. Empty until a page has asked."""

    user_id: int = 0
    username: str = ""
    email: str = ""
    is_admin: bool = False
    ready: bool = False
    """True once it is known whether somebody is signed in."""

    @rx.var
    def is_signed_in(self) -> bool:
        return self.user_id > 0

    @rx.event
    @signed_in
    async def load(self):
        """First on_load of every page that needs a session; starts what the frame shows of jobs, machines, notices."""
        await self._look()
        return [RunningState.watch, MachinesState.watch, NoticesState.watch]

    @rx.event
    @public
    async def look(self):
        """on_load of pages for everyone: they greet who is signed in, and ask nothing of others."""
        await self._look()

    @rx.event
    @public
    async def log_out(self):
        """Wipes this tab's state, then ends the session over HTTP."""
        forget(token_of(self))
        self._wipe()
        return rx.call_script(_LEAVE)

    async def _look(self) -> None:
        actor = await find_actor(self)
        if actor is None or (self.user_id and self.user_id != actor.user_id):
            # Another person in the same tab must not meet the rows of the one before.
            self._wipe()
        if actor is not None:
            self.user_id, self.username, self.email = actor.user_id, actor.username, actor.email
            self.is_admin = actor.role is Role.ADMIN
        self.ready = True

    def _wipe(self) -> None:
        """Forgets everything that this tab's states hold."""
        self._get_root_state().reset()
