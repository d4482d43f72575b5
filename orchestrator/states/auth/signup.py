"""The sign-up form: each field is checked as it is left, the password is weighed, then the account is made."""

import asyncio
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.services.auth import accounts, passwords, tickets
from orchestrator.settings import get_settings
from orchestrator.states.auth.login import enter, with_next
from orchestrator.states.shared.guards import call, local_path, problems_of, public
from orchestrator.states.shared.identity import find_actor

MISMATCH = "The two passwords differ. Type the same one twice."
FIELDS = ("username", "email", "password")


class SignupState(rx.State):
    """Sentences and the password's strength; the password itself is never kept."""

    problems: dict[str, str] = {}
    problem: str = ""
    score: int = 0
    strength: str = ""
    hint: str = ""
    busy: bool = False
    login_address: str = "/login"
    _username: str = ""
    _email: str = ""

    @rx.event
    @public
    async def open(self):
        """An empty form; whoever is signed in already goes on."""
        self.reset()
        self.login_address = with_next("/login", self)
        if await find_actor(self) is not None:
            return rx.redirect(local_path(self._wanted()))
        return None

    @rx.event
    @public
    async def leave(self, field: str, text: str):
        """A field was left: its sentence, or none."""
        if field == "username":
            self._username = text[:64]
        elif field == "email":
            self._email = text[:254]
        if field in FIELDS and text:
            sentence = await call(accounts.check_signup_field, field, text)
            self.problems = {**self.problems, field: sentence}

    @rx.event
    @public
    async def weigh(self, password: str):
        """Says how strong the password is while it is typed."""
        found = await asyncio.to_thread(
            passwords.strength, password[: passwords.MAX_LENGTH], [self._username, self._email]
        )
        self.score, self.strength, self.hint = found.score, found.label, found.hint

    @rx.event
    @public
    async def submit(self, form: dict[str, Any]):
        """Makes the account and signs in."""
        values = {name: str(form.get(name, "")) for name in (*FIELDS, "confirmation")}
        self.problem, self.problems, self.busy = "", {}, True
        yield
        try:
            # All sentences at once; and no account whose password was mistyped.
            found = {name: await call(accounts.check_signup_field, name, values[name]) for name in FIELDS}
            if values["password"] != values["confirmation"]:
                found["confirmation"] = MISMATCH
            self.problems = found
            if any(found.values()):
                self.busy = False
                return
            ticket = await call(_make_account, values["username"], values["email"], values["password"])
        except AppError as refused:
            found = problems_of(refused)
            self.problem, self.problems, self.busy = found.pop("", ""), found, False
            return
        yield enter(ticket, self._wanted())

    def _wanted(self) -> str:
        return self.router.url.query_parameters.get("next", "/overview")


def _make_account(session: Any, username: str, email: str, password: str) -> str:
    actor = accounts.sign_up(session, username, email, password, get_settings())
    return tickets.issue_ticket(session, actor.user_id, remember=True)
