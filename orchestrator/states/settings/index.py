"""Settings: profile, password, signed-in browsers, tokens for scripts, stored credentials."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError, TooMany
from orchestrator.services import credentials
from orchestrator.services.auth import accounts, sessions, tokens
from orchestrator.services.auth.rows import SessionRow, TokenRow
from orchestrator.services.credentials import CredentialRow
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in, toast_for
from orchestrator.states.shared.identity import forget, token_of
from orchestrator.states.shell.session import SessionState
from orchestrator.ui.primitives.toast import toast

CREDENTIAL_KINDS = {"s3": "S3", "gs": "Google Cloud", "az": "Azure", "hub": "Hugging Face"}

TOKEN_SCOPES = {"write": ("read", "write"), "read": ("read",), "infer": ("infer",)}
"""The scopes of each choice in the form for a token."""


@dataclass(frozen=True)
class BrowserLine:
    """A signed-in browser."""

    id: int
    description: str
    """Such as "Firefox on Linux"."""
    ip: str
    last_seen: str
    """ISO time."""
    current: bool


@dataclass(frozen=True)
class TokenLine:
    """A token for scripts."""

    id: int
    name: str
    scopes: str
    created: str
    """ISO time."""
    used: str
    """ISO time, "" when never."""
    expires: str


@dataclass(frozen=True)
class CredentialLine:
    """Stored cloud credentials or a Hub token, without the secret."""

    id: int
    name: str
    kind: str
    hint: str
    created: str
    used: str
    """ISO time, "" when never."""


class SettingsState(rx.State):
    """The user's account. Passwords are not stored in the state."""

    loaded: bool = False
    username: str = ""
    email: str = ""
    standing: str = ""
    since: str = ""
    browsers: list[BrowserLine] = []
    tokens: list[TokenLine] = []
    credentials: list[CredentialLine] = []
    credential_problems: dict[str, str] = {}
    credential_round: int = 0
    profile_problems: dict[str, str] = {}
    password_problems: dict[str, str] = {}
    token_problems: dict[str, str] = {}
    new_token: str = ""
    """Shown once, right after it was created."""
    profile_round: int = 0
    """Counts visits and saves, after which the fields show what is stored."""
    token_round: int = 0
    password_round: int = 0
    """Counts changes, after which the form is empty."""
    confirming: bool = False
    """The dialog asks for the password; what was typed elsewhere stays where it is."""
    confirm_problem: str = ""
    _waiting: tuple[str, Any] = ("", None)
    """The change that waits for the password: "profile" or "create" with its form, "delete" with the token's id."""

    @rx.event
    @signed_in
    async def load(self):
        """Reads everything once."""
        account = await run_as_user(self, accounts.get_account)
        self.username, self.email = account.username, account.email
        self.standing = "Administrator" if account.role == "admin" else "Member"
        self.since = account.created_at.strftime("%-d %B %Y")
        self.profile_problems, self.password_problems, self.token_problems, self.new_token = {}, {}, {}, ""
        self.credential_problems = {}
        self.confirming, self.confirm_problem, self._waiting = False, "", ("", None)
        await self._read_lists()
        self.profile_round, self.loaded = self.profile_round + 1, True

    @rx.event
    @signed_in
    async def save_profile(self, form: dict[str, Any]):
        """Changes name and email, once the password is given."""
        return await self._change("profile", form)

    async def _save_profile(self, form: dict[str, Any], password: str):
        username, email = str(form.get("username", "")), str(form.get("email", ""))
        actor = await run_as_user(self, accounts.update_profile, username, email, password)
        forget(token_of(self))
        self.profile_problems, self.username, self.email = {}, actor.username, actor.email
        session = await self.get_state(SessionState)
        session.username, session.email = actor.username, actor.email
        return toast("success", "Profile saved.")

    @rx.event
    @signed_in
    async def change_password(self, form: dict[str, Any]):
        """Changes the password and signs the other browsers out."""
        current, new = str(form.get("current", "")), str(form.get("new", ""))
        if new != str(form.get("confirmation", "")):
            self.password_problems = {"confirmation": "The two passwords differ. Type the same one twice."}
            return
        try:
            await run_as_user(self, accounts.change_password, current, new)
            ended = await run_as_user(self, sessions.close_others, token_of(self))
        except AppError as refused:
            self.password_problems = problems_of(refused)
            return
        self.password_problems, self.password_round = {}, self.password_round + 1
        await self._read_lists()
        others = f" {formatting.plural(ended, 'other browser')} signed out." if ended else ""
        yield toast("success", f"Password changed.{others}")

    @rx.event
    @signed_in
    async def sign_out_others(self):
        """Keeps only this browser signed in."""
        ended = await run_as_user(self, sessions.close_others, token_of(self))
        await self._read_lists()
        yield toast("success", f"{formatting.plural(ended, 'browser')} signed out.")

    @rx.event
    @signed_in
    async def create_token(self, form: dict[str, Any]):
        """Creates a token and shows its text once."""
        return await self._change("create", form)

    async def _create_token(self, form: dict[str, Any], password: str):
        await run_as_user(self, sessions.require_recent_password, token_of(self), password)
        scopes = TOKEN_SCOPES.get(str(form.get("access", "")), ())
        created = await run_as_user(self, tokens.create_token, str(form.get("name", "")).strip(), scopes, None)
        self.token_problems, self.new_token, self.token_round = {}, created.token, self.token_round + 1
        await self._read_lists()

    @rx.event
    @signed_in
    async def hide_token(self):
        """The user has copied the token."""
        self.new_token = ""

    @rx.event
    @signed_in
    async def delete_token(self, token_id: int):
        """Deletes a token, which ends its access at once."""
        return await self._change("delete", token_id)

    async def _delete_token(self, token_id: int, password: str):
        await run_as_user(self, sessions.require_recent_password, token_of(self), password)
        await run_as_user(self, tokens.delete_token, token_id)
        await self._read_lists()
        return toast("success", "Token deleted. Scripts that used it are refused from now on.")

    @rx.event
    @signed_in
    async def confirm(self, form: dict[str, Any]):
        """The dialog's password: the change that waits for it is made."""
        return await self._change(*self._waiting, str(form.get("confirm_password", "")))

    @rx.event
    @signed_in
    async def show_confirm(self, open: bool):
        """Closing the dialog changes nothing."""
        self.confirming, self.confirm_problem = open and bool(self._waiting[0]), ""

    async def _change(self, kind: str, value: Any, password: str = ""):
        """Makes a change of the account, or opens the dialog for the password that it needs."""
        changes = {"profile": self._save_profile, "create": self._create_token, "delete": self._delete_token}
        if kind not in changes:
            return None
        try:
            done = await changes[kind](value, password)
        except AppError as refused:
            return self._refuse(kind, value, password, refused)
        self.confirming, self.confirm_problem, self._waiting = False, "", ("", None)
        return done

    def _refuse(self, kind: str, value: Any, password: str, refused: AppError):
        problems = problems_of(refused)
        if "current_password" in problems or (password and isinstance(refused, TooMany)):
            self.confirm_problem = problems.get("current_password", refused.message) if self.confirming else ""
            self.confirming, self._waiting = True, (kind, value)
            return None
        self.confirming, self._waiting = False, ("", None)
        if kind == "delete":
            return toast_for(refused)
        if kind == "create":
            self.token_problems = problems
        else:
            self.profile_problems = problems
        return None

    @rx.event
    @signed_in
    async def save_hub_token(self, form: dict[str, Any]):
        """Stores a Hub token, or replaces the one with this name."""
        try:
            row = await run_as_user(self, credentials.save_token, str(form.get("name", "")), str(form.get("token", "")))
        except AppError as refused:
            self.credential_problems = problems_of(refused)
            return
        self.credential_problems, self.credential_round = {}, self.credential_round + 1
        await self._read_lists()
        yield toast("success", f"{row.name} is stored, encrypted.")

    @rx.event
    @signed_in
    async def delete_credential(self, credential_id: int):
        """Deletes stored credentials; what was fetched with them stays."""
        await run_as_user(self, credentials.delete_credential, credential_id)
        await self._read_lists()
        yield toast("success", "Credentials deleted. What was fetched with them stays.")

    async def _read_lists(self) -> None:
        self.credentials = [_credential(row) for row in await run_as_user(self, credentials.list_credentials)]
        self.browsers = [_browser(row) for row in await run_as_user(self, sessions.list_sessions, token_of(self))]
        self.tokens = [_token(row) for row in await run_as_user(self, tokens.list_tokens)]


def _credential(row: CredentialRow) -> CredentialLine:
    kind = CREDENTIAL_KINDS.get(row.kind, row.kind)
    return CredentialLine(row.id, row.name, kind, row.hint, formatting.iso(row.created_at), formatting.iso(row.used_at))


def _browser(row: SessionRow) -> BrowserLine:
    agent = row.user_agent
    name = next((word for word in ("Firefox", "Edg", "Chrome", "Safari", "curl") if word in agent), "A program")
    system = next((word for word in ("Windows", "Android", "iPhone", "Mac", "Linux") if word in agent), "")
    description = f"{name.replace('Edg', 'Edge')} on {system}" if system else name
    return BrowserLine(row.id, description, row.ip, formatting.iso(row.last_seen_at), row.current)


def _token(row: TokenRow) -> TokenLine:
    expires = row.expires_at.strftime("%-d %b %Y") if row.expires_at else "never"
    scopes = " and ".join("ask models" if scope == "infer" else scope for scope in row.scopes)
    return TokenLine(
        row.id, row.name, scopes, formatting.iso(row.created_at), formatting.iso(row.last_used_at), expires
    )
