"""The notification settings: which events are sent by webhook and by e-mail."""

import asyncio
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.notifications import KINDS
from orchestrator.services.notifications import preferences
from orchestrator.services.notifications.rows import PreferencesRow
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in, toast_for
from orchestrator.ui.primitives.toast import toast

TEST_POLLS = 6
"""Seconds in which the outcome of a test notification is read."""


class NotificationPreferencesState(rx.State):
    """Which notifications leave the studio, and how."""

    url: str = ""
    secret: str = ""
    email: bool = False
    kinds: list[str] = []
    address: str = ""
    mail_ready: bool = False
    last_error: str = ""
    testing: bool = False
    """A test notification is on its way."""
    problems: dict[str, str] = {}
    round: int = 0
    """Counts reads, after which the fields show what is stored."""

    @rx.event
    @signed_in
    async def load(self):
        """Reads what is stored."""
        self._show(await run_as_user(self, preferences.get_preferences))

    @rx.event
    @signed_in
    async def save(self, form: dict[str, Any]):
        """Stores the form."""
        kinds = [kind for kind in KINDS if form.get(f"kind_{kind}")]
        try:
            row = await run_as_user(
                self, preferences.save_preferences, str(form.get("webhook_url", "")), bool(form.get("email")), kinds
            )
        except AppError as refused:
            self.problems = problems_of(refused)
            return
        self._show(row)
        yield toast("success", "Saved.")

    @rx.event(background=True)
    @signed_in
    async def send_test(self):
        """Sends a test notification by every channel that is set up, and waits a moment for a refusal."""
        async with self:
            if self.testing:
                return
            self.testing, self.last_error = True, ""
        try:
            await run_as_user(self, preferences.send_test)
            for _ in range(TEST_POLLS):
                await asyncio.sleep(1.0)
                row = await run_as_user(self, preferences.get_preferences)
                if row.last_error:
                    async with self:
                        self.last_error = row.last_error
                    yield toast("error", f"The test notification did not arrive: {row.last_error}")
                    return
            yield toast("success", "Test notification sent. No error was reported.")
        except AppError as refused:
            yield toast_for(refused)
        finally:
            async with self:
                self.testing = False

    def _show(self, row: PreferencesRow) -> None:
        self.url, self.secret, self.email = row.webhook_url, row.webhook_secret, row.email
        self.kinds, self.address, self.mail_ready = list(row.kinds), row.address, row.mail_ready
        self.last_error, self.problems = row.last_error, {}
        self.round += 1
