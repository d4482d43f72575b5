"""The login form: checked over the websocket, then left with a one-time ticket that becomes the cookie."""

import json
from typing import Any
from urllib.parse import quote

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.local_path import local_path
from orchestrator.services.auth import sessions, tickets
from orchestrator.states.shared.guards import public, run_service
from orchestrator.states.shared.identity import device_cookie_of, find_actor

NO_LOGIN = "Enter your email or username."
NO_PASSWORD = "Enter your password."


def enter(ticket: str, next_path: str) -> rx.event.EventSpec:
    """Signs in by a full page load: only a new websocket handshake carries the new cookie. Clears the tab's storage."""
    address = f"/api/session?ticket={quote(ticket, safe='')}&next={quote(local_path(next_path), safe='')}"
    return rx.call_script(f"sessionStorage.clear(); window.location.assign({json.dumps(address)})")


def next_path(state: Any) -> str:
    """The page to open after signing in."""
    return state.router.url.query_parameters.get("next", "/overview")


def with_next(address: str, state: Any) -> str:
    """The other form's address, with the same page to open afterwards."""
    path = state.router.url.query_parameters.get("next", "")
    return f"{address}?next={quote(local_path(path), safe='')}" if path else address


class LoginState(rx.State):
    """The problems of the form. What is typed stays in the browser."""

    problem: str = ""
    login_problem: str = ""
    password_problem: str = ""
    busy: bool = False
    host: str = ""
    signup_address: str = "/signup"

    @rx.event
    @public
    async def open(self):
        """on_load: an empty form; users who are signed in already are redirected."""
        self.problem, self.login_problem, self.password_problem, self.busy = "", "", "", False
        self.host = self.router.url.hostname or ""
        self.signup_address = with_next("/signup", self)
        return rx.redirect(local_path(next_path(self))) if await find_actor(self) is not None else None

    @rx.event
    @public
    async def check_login(self, text: str):
        """The field has lost the focus."""
        self.login_problem = "" if text.strip() else NO_LOGIN

    @rx.event
    @public
    async def check_password(self, text: str):
        """The field has lost the focus."""
        self.password_problem = "" if text else NO_PASSWORD

    @rx.event
    @public
    async def submit(self, form: dict[str, Any]):
        """Checks login and password; the page is then loaded again with the cookie."""
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        self.login_problem = "" if login.strip() else NO_LOGIN
        self.password_problem = "" if password else NO_PASSWORD
        self.problem = ""
        if self.login_problem or self.password_problem:
            return
        self.busy = True
        yield
        try:
            ip, device = self.router.session.client_ip, device_cookie_of(self)
            actor = await run_service(sessions.log_in, login, password, ip, device)
            ticket = await run_service(tickets.issue_ticket, actor.user_id, bool(form.get("remember")))
        except AppError as refused:
            self.problem, self.busy = refused.message, False
            return
        yield enter(ticket, next_path(self))
