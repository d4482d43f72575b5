"""The notification settings: which events are sent by webhook and by e-mail."""

from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.notifications import KINDS
from orchestrator.services.notifications import preferences
from orchestrator.services.notifications.rows import PreferencesRow
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in, toast_for
from orchestrator.ui.primitives.toast import toast


class NotificationPreferencesState(rx.State):
    """Which notifications leave the studio, and how."""

    url: str = ""
    secret: str = ""
    email: bool = False
    kinds: list[str] = []
    address: str = ""
    mail_ready: bool = False
    last_error: str = ""
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

    @rx.event
    @signed_in
    async def send_test(self):
        """Sends a test notification by every channel that is set up."""
        try:
            await run_as_user(self, preferences.send_test)
        except AppError as refused:
            return toast_for(refused)
        return toast("success", "A test notification is being sent.")

    def _show(self, row: PreferencesRow) -> None:
        self.url, self.secret, self.email = row.webhook_url, row.webhook_secret, row.email
        self.kinds, self.address, self.mail_ready = list(row.kinds), row.address, row.mail_ready
        self.last_error, self.problems = row.last_error, {}
        self.round += 1
