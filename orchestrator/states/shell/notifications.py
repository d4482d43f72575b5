"""The bell of every page: the user's newest notifications, how many are unread, and new ones as they arrive."""

from dataclasses import dataclass

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.redis_keys import notice_channel
from orchestrator.services.notifications.notifications import list_notifications, mark_read
from orchestrator.services.notifications.rows import NotificationRow
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.live import batches, listening

SHOWN = 20
WINDOW_S = 0.2


@dataclass(frozen=True, slots=True)
class NotificationLine:
    """One notification in the bell."""

    id: int
    kind: str
    title: str
    body: str
    href: str
    """The page it is about, "" for none."""
    at: str
    """ISO time."""
    read: bool


class NotificationsState(rx.State):
    """What the bell shows in this tab."""

    items: list[NotificationLine] = []
    unread: int = 0
    newest: int = 0
    """The last notification that arrived while this page was open, which becomes a browser notification; 0: none."""

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then follows the user's notifications until the page is left."""
        actor = await find_actor(self)
        if actor is not None:
            async with listening(notice_channel(actor.user_id)) as subscription:
                await self._read(0)
                async for records in batches(subscription, WINDOW_S):
                    fresh = [record.get("id", 0) for record in records if record["kind"] == "notice"]
                    await self._read(max(fresh, default=0))

    @rx.event
    @signed_in
    async def read_all(self):
        """The bell was opened: its notifications count as read."""
        if self.unread:
            await run_as_user(self, mark_read)
            self.unread = 0

    async def _read(self, newest: int) -> None:
        listed = await run_as_user(self, list_notifications, limit=SHOWN)
        async with self:
            self.items = [notification_line(row) for row in listed.items]
            self.unread = listed.unread
            self.newest = newest or self.newest


def notification_line(row: NotificationRow) -> NotificationLine:
    """A notification as the bell shows it."""
    href = f"/jobs/{row.job_id}" if row.job_id else ""
    return NotificationLine(row.id, row.kind, row.title, row.body, href, formatting.iso(row.created_at), row.read)
