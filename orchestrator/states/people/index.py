"""The accounts of the studio: the list of its administrators, and what they do to one account."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth import people, resets, sessions
from orchestrator.services.auth.people import STATUSES, PersonRow
from orchestrator.services.paging import Page
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in
from orchestrator.states.shared.identity import token_of
from orchestrator.states.shared.list_state import Listed
from orchestrator.ui.primitives.toast import toast

PATH = "/people"
SORTS = {"username": "Name", "-created_at": "Newest first"}


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One account."""

    id: int
    username: str
    email: str
    is_admin: bool
    is_disabled: bool
    is_self: bool
    created: str
    """ISO time."""
    seen: str
    """ISO time; "" where no browser is signed in."""


@dataclass(frozen=True, slots=True)
class _Listing:
    page: Page[PersonRow]
    total: int
    reader_id: int


def _read(session: Session, actor: Actor, q: str, status: str, sort: str, limit: int, cursor: str) -> _Listing:
    page = people.list_people(session, actor, q, "", status, sort, limit, cursor or None)
    return _Listing(page, people.list_people(session, actor, limit=1).total, actor.user_id)


def _set_role(session: Session, actor: Actor, token: str, password: str, user_id: int, role: str) -> PersonRow:
    people.require_administrator(actor)
    sessions.require_recent_password(session, actor, token, password)
    return people.set_role(session, actor, user_id, role)


def _reset_link(session: Session, actor: Actor, token: str, password: str, user_id: int) -> str:
    people.require_administrator(actor)
    sessions.require_recent_password(session, actor, token, password)
    return resets.make_reset_link(session, actor, user_id).link


class PeopleState(Listed, rx.State):
    """The accounts, a page at a time; a change that needs the password waits for its dialog."""

    PATH: ClassVar[str] = PATH
    STATUSES: ClassVar = STATUSES
    SORTS: ClassVar = SORTS

    rows: list[PersonLine] = []
    confirming: bool = False
    question: str = ""
    """What the dialog confirms."""
    confirm_problem: str = ""
    link: str = ""
    """A link for a new password that was just made; shown once."""
    link_for: str = ""
    _waiting: tuple[str, int] = ("", 0)
    """The change that waits for the password: a role or "reset", and the account's id."""

    @rx.var
    def filtered(self) -> bool:
        return bool(self.q or self.status)

    @rx.event
    @signed_in
    async def disable(self, user_id: int, disabled: bool):
        """Ends the access of an account, or gives it back."""
        row = await run_as_user(self, people.set_disabled, int(user_id), bool(disabled))
        await self._refresh()
        return toast("success", f"{row.username} is {'disabled' if disabled else 'enabled'}.")

    @rx.event
    @signed_in
    async def ask_role(self, user_id: int, role: str):
        """Asks for the password before a role is changed."""
        kind = "an administrator" if role == Role.ADMIN else "a member"
        self._ask(f"{self._name_of(user_id)} becomes {kind}.", str(role), user_id)

    @rx.event
    @signed_in
    async def ask_reset(self, user_id: int):
        """Asks for the password before a link is made."""
        self._ask(f"{self._name_of(user_id)} gets a link for a new password, once.", "reset", user_id)

    @rx.event
    @signed_in
    async def show_confirm(self, open: bool):
        """Closing the dialog changes nothing."""
        self.confirming, self.confirm_problem = open and bool(self._waiting[0]), ""

    @rx.event
    @signed_in
    async def confirm(self, form: dict[str, Any]):
        """Makes the change that waits, with the password of the dialog."""
        (kind, user_id), password = self._waiting, str(form.get("confirm_password", ""))
        if not kind:
            return None
        try:
            if kind == "reset":
                self.link = await run_as_user(self, _reset_link, token_of(self), password, user_id)
                self.link_for = self._name_of(user_id)
            else:
                await run_as_user(self, _set_role, token_of(self), password, user_id, kind)
        except AppError as refused:
            self.confirm_problem = problems_of(refused).get("current_password", refused.message)
            return None
        self.confirming, self.confirm_problem, self._waiting = False, "", ("", 0)
        await self._refresh()
        return None if kind == "reset" else toast("success", "Role changed.")

    @rx.event
    @signed_in
    async def hide_link(self):
        """The link was copied."""
        self.link = self.link_for = ""

    def _ask(self, question: str, kind: str, user_id: int) -> None:
        self.question, self._waiting = question, (kind, int(user_id))
        self.confirming, self.confirm_problem = True, ""

    def _name_of(self, user_id: int) -> str:
        return next((row.username for row in self.rows if row.id == int(user_id)), "This account")

    def _read_address(self) -> None:
        self.q, self.status = read_filter(self, "q", limit=100), read_filter(self, "status", STATUSES)
        self.sort = read_filter(self, "sort", SORTS)
        self.link = self.link_for = ""

    def _query(self) -> tuple[str, str, str, int, str]:
        return self.q, self.status, self._sort_key(), self.limit, self._cursor

    async def _read(self, *query: Any) -> _Listing:
        return await run_as_user(self, _read, *query)

    def _write_address(self) -> rx.event.EventSpec:
        return write_filters(PATH, q=self.q, status=self.status, sort=self.sort)

    def _fill(self, listing: _Listing) -> None:
        self.rows = [_line(row, listing.reader_id) for row in listing.page.items]
        self.total = listing.total
        self.summary = formatting.plural(listing.total, "account") if listing.total else ""


def _line(row: PersonRow, reader_id: int) -> PersonLine:
    return PersonLine(
        id=row.id,
        username=row.username,
        email=row.email,
        is_admin=row.role == Role.ADMIN,
        is_disabled=row.disabled_at is not None,
        is_self=row.id == reader_id,
        created=formatting.iso(row.created_at),
        seen=formatting.iso(row.seen_at),
    )
