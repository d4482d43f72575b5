"""Looks up what a repository of the Hugging Face Hub holds before it is fetched, and offers the stored tokens."""

from collections.abc import Iterable
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import parse_id
from orchestrator.services.credentials import CredentialRow
from orchestrator.services.hub import hub_size
from orchestrator.states.shared.guards import run_as_user, signed_in


def token_choices(rows: Iterable[CredentialRow], none: str = "None, or one that is typed") -> list[dict[str, str]]:
    """The stored Hub tokens as a select takes them, `none` for no token; empty where there are no stored tokens."""
    tokens = [{"value": str(row.id), "label": row.name, "hint": row.hint} for row in rows if row.kind == "hub"]
    return [{"value": "none", "label": none}, *tokens] if tokens else []


class HubConfirm(rx.State, mixin=True):
    """The size of what would be fetched. Typing in the form clears it, so that people agree to what they were shown."""

    asking: bool = False
    hub_size: str = ""
    """"3.4 GB"; "" until it was looked up."""
    hub_note: str = ""
    hub_commit: str = ""
    """The commit that was shown: it is the one that will be fetched."""

    async def _request_hub_size(self, kind: str, repo: str, revision: str, token: str, credential: str) -> None:
        """Asks the Hub; the token is used for this request only.

        Raises:
            Invalid: `problems` by field, the Hub's refusal, or the disk has not enough space.
        """
        result: Any = await run_as_user(self, hub_size, kind, repo, revision, token, parse_id(credential))
        size = formatting.size(result.bytes)
        if result.bytes > result.max_bytes:
            free = formatting.size(result.max_bytes)
            raise Invalid(f"It has {size}, but only {free} are free here. Free some space first.", "repo")
        self.hub_size, self.hub_commit = size, result.revision
        files = formatting.plural(result.files, "file")
        self.hub_note = f"{result.repo} has {files} to fetch at commit {result.revision[:10]}."

    def _clear_hub(self) -> None:
        self.hub_size = self.hub_note = self.hub_commit = ""


class StoredToken(rx.State, mixin=True):
    """On the page of what could not be fetched from the Hub: the stored token for the next try."""

    stored: str = "none"
    """The id of the token; "none" is the one of the last try, if it had one."""
    stored_tokens: list[dict[str, str]] = []

    @rx.event
    @signed_in
    async def choose_stored(self, chosen: str):
        self.stored = chosen

    def _offer_tokens(self, rows: Iterable[CredentialRow]) -> None:
        self.stored_tokens = token_choices(rows, "As before")
