"""The login form: checks over the websocket, then leaves by a one-time ticket that becomes the cookie."""

import json
from typing import Any
from urllib.parse import quote

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.services.auth import sessions, tickets
from orchestrator.states.shared.guards import call, local_path, public
from orchestrator.states.shared.identity import find_actor

NO_LOGIN = "Enter your email or username."
NO_PASSWORD = "Enter your password."


def enter(ticket: str, wanted: str) -> rx.event.EventSpec:
    """A full page load: only a new websocket handshake carries the new cookie. What was typed in this tab is gone."""
    address = f"/api/session?ticket={quote(ticket, safe='')}&next={quote(local_path(wanted), safe='')}"
    return rx.call_script(f"sessionStorage.clear(); window.location.assign({json.dumps(address)})")


def with_next(address: str, state: Any) -> str:
    """The other form's address, told the same page to go on to."""
    wanted = state.router.url.query_parameters.get("next", "")
    return f"{address}?next={quote(local_path(wanted), safe='')}" if wanted else address


class LoginState(rx.State):
    """What stands beside the fields. What was typed stays in the browser, never here."""

    problem: str = ""
    login_problem: str = ""
    password_problem: str = ""
    busy: bool = False
    host: str = ""
    signup_address: str = "/signup"

    @rx.event
    @public
    async def open(self):
        """An empty form; whoever is signed in already goes on."""
        self.problem, self.login_problem, self.password_problem, self.busy = "", "", "", False
        self.host = self.router.url.hostname or ""
        self.signup_address = with_next("/signup", self)
        if await find_actor(self) is not None:
            return rx.redirect(local_path(self._wanted()))
        return None

    @rx.event
    @public
    async def leave_login(self, text: str):
        """The field was left."""
        self.login_problem = "" if text.strip() else NO_LOGIN

    @rx.event
    @public
    async def leave_password(self, text: str):
        """The field was left."""
        self.password_problem = "" if text else NO_PASSWORD

    @rx.event
    @public
    async def submit(self, form: dict[str, Any]):
        """Checks login and password; the page then loads anew with the cookie."""
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        self.login_problem = "" if login.strip() else NO_LOGIN
        self.password_problem = "" if password else NO_PASSWORD
        self.problem = ""
        if self.login_problem or self.password_problem:
            return
        self.busy = True
        yield
        try:
            actor = await call(sessions.log_in, login, password, self.router.session.client_ip)
            ticket = await call(tickets.issue_ticket, actor.user_id, bool(form.get("remember")))
        except AppError as refused:
            self.problem, self.busy = refused.message, False
            return
        yield enter(ticket, self._wanted())

    def _wanted(self) -> str:
        return self.router.url.query_parameters.get("next", "/overview")
