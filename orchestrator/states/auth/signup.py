"""The sign-up form: fields are checked when they lose the focus, and the password is rated while it is typed."""

import asyncio
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.local_path import local_path
from orchestrator.services.auth import accounts, passwords, tickets
from orchestrator.services.person_slots import person_slot
from orchestrator.settings import get_settings
from orchestrator.states.auth.login import enter, next_path, with_next
from orchestrator.states.shared.guards import problems_of, public, run_service
from orchestrator.states.shared.identity import find_actor

MISMATCH = "The two passwords differ. Type the same one twice."
FIELDS = ("username", "email", "password")


class SignupState(rx.State):
    """The problems of the form and the password's strength; the password itself is not stored."""

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
        """on_load: an empty form; users who are signed in already are redirected."""
        self.reset()
        self.login_address = with_next("/login", self)
        return rx.redirect(local_path(next_path(self))) if await find_actor(self) is not None else None

    @rx.event
    @public
    async def check_field(self, field: str, text: str):
        """A field has lost the focus."""
        if field == "username":
            self._username = text[:64]
        elif field == "email":
            self._email = text[:254]
        if field in FIELDS and text:
            sentence = await run_service(accounts.check_signup_field, field, text)
            self.problems = {**self.problems, field: sentence}

    @rx.event
    @public
    async def rate_password(self, password: str):
        """Shows the password's strength while it is typed."""
        # Rating takes the processor for milliseconds: one at a time for each address.
        async with person_slot(f"ratings {self.router.session.client_ip}", 1, 5):
            words = [self._username, self._email]
            strength = await asyncio.to_thread(passwords.strength, password[: passwords.MAX_LENGTH], words)
        self.score, self.strength, self.hint = strength.score, strength.label, strength.hint

    @rx.event
    @public
    async def submit(self, form: dict[str, Any]):
        """Creates the account and signs in."""
        values = {name: str(form.get(name, "")) for name in (*FIELDS, "confirmation")}
        self.problem, self.problems, self.busy = "", {}, True
        yield
        try:
            # All problems at once; and no account with a mistyped password.
            problems = {name: await run_service(accounts.check_signup_field, name, values[name]) for name in FIELDS}
            if values["password"] != values["confirmation"]:
                problems["confirmation"] = MISMATCH
            self.problems = problems
            if any(problems.values()):
                self.busy = False
                return
            ip = self.router.session.client_ip
            ticket = await run_service(_create_account, values["username"], values["email"], values["password"], ip)
        except AppError as refused:
            problems = problems_of(refused)
            self.problem, self.problems, self.busy = problems.pop("", ""), problems, False
            return
        yield enter(ticket, next_path(self))


def _create_account(session: Any, username: str, email: str, password: str, ip: str) -> str:
    actor = accounts.sign_up(session, username, email, password, get_settings(), ip)
    return tickets.issue_ticket(session, actor.user_id, remember=True)
