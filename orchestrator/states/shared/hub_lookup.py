"""Looks up what would come from the Hub and holds the answer until somebody agrees; the token that a next try takes."""

from collections.abc import Iterable
from typing import Any

import reflex as rx

from orchestrator.domain.errors import Invalid
from orchestrator.domain.numbers import parse_id
from orchestrator.services.credentials import CredentialRow
from orchestrator.services.hub import hub_size
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in


def token_choices(rows: Iterable[CredentialRow], none: str = "None, or one that is typed") -> list[dict[str, str]]:
    """The stored Hub tokens as a select takes them, `none` for no other; nothing where there are none."""
    found = [{"value": str(row.id), "label": row.name, "hint": row.hint} for row in rows if row.kind == "hub"]
    return [{"value": "none", "label": none}, *found] if found else []


class HubConfirm(rx.State, mixin=True):
    """The last answer, for what stands in the form; typing forgets it, so that what is agreed to is what was shown."""

    asking: bool = False
    hub_size: str = ""
    """"3.4 GB"; "" until it was looked up."""
    hub_said: str = ""
    hub_commit: str = ""
    """The commit that was shown: it is the one that will be fetched."""

    async def _look_up(self, kind: str, repo: str, revision: str, token: str, credential: str) -> None:
        """Asks the Hub; the token is used for this question only.

        Raises:
            Invalid: `problems` by field, the Hub's refusal, or there is no room for it.
        """
        stored = parse_id(credential)
        found: Any = await act(self, hub_size, kind, repo, revision, token, stored)
        size = formatting.size(found.bytes)
        if found.bytes > found.max_bytes:
            raise Invalid(
                f"It has {size}; there is room for {formatting.size(found.max_bytes)} here. Free some first.", "repo"
            )
        self.hub_size, self.hub_commit = size, found.revision
        self.hub_said = (
            f"{found.repo} has {formatting.plural(found.files, 'file')} to fetch at commit {found.revision[:10]}."
        )

    def _forget_hub(self) -> None:
        self.hub_size = self.hub_said = self.hub_commit = ""


class StoredToken(rx.State, mixin=True):
    """On the page of what could not be fetched from the Hub: the stored token with which it is tried again."""

    stored: str = "none"
    """The id of the token; "none" is the one of the last try, if it had one."""
    stored_tokens: list[dict[str, str]] = []

    @rx.event
    @signed_in
    async def choose_stored(self, chosen: str):
        self.stored = chosen

    def _token_id(self) -> int:
        """What a service takes: 0 for none."""
        return parse_id(self.stored)

    def _offer_tokens(self, rows: Iterable[CredentialRow]) -> None:
        self.stored_tokens = token_choices(rows, "As before")
