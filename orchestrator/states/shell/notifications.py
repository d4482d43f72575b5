"""The bell of every page: one's newest notices, how many are unread, and each new one as it comes."""

from dataclasses import dataclass

import reflex as rx

from orchestrator.domain.redis_keys import notice_channel
from orchestrator.services.notifications.notifications import list_notifications, mark_read
from orchestrator.services.notifications.rows import NotificationRow
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.live import listening, sips

SHOWN = 20
WINDOW_S = 0.2


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice in the bell."""

    id: int
    kind: str
    title: str
    body: str
    href: str
    """Where it leads, "" when nowhere."""
    at: str
    """ISO time."""
    read: bool


class NoticesState(rx.State):
    """What the bell shows in this tab."""

    items: list[NoticeLine] = []
    unread: int = 0
    newest: int = 0
    """The last notice that came while this page was open: what a browser notification is made of; 0: none did."""

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads once, then listens to one's own bell until the page is left."""
        actor = await find_actor(self)
        if actor is None:
            return
        async with listening(notice_channel(actor.user_id)) as subscription:
            await self._read(0)
            async for records in sips(subscription, WINDOW_S):
                fresh = [record.get("id", 0) for record in records if record["kind"] == "notice"]
                await self._read(max(fresh, default=0))

    @rx.event
    @signed_in
    async def read_all(self):
        """The bell was opened and looked at."""
        if self.unread:
            await act(self, mark_read)
            self.unread = 0

    async def _read(self, newest: int) -> None:
        found = await act(self, list_notifications, limit=SHOWN)
        async with self:
            self.items = [notice_line(row) for row in found.items]
            self.unread = found.unread
            self.newest = newest or self.newest


def notice_line(row: NotificationRow) -> NoticeLine:
    """A notice as the bell shows it."""
    href = f"/jobs/{row.job_id}" if row.job_id else ""
    return NoticeLine(row.id, row.kind, row.title, row.body, href, formatting.iso(row.created_at), row.read)
