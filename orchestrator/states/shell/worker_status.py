"""The workers at the foot of the sidebar: which there are and how much of their memory is in use."""

import asyncio
import time
from dataclasses import dataclass, replace

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.users import Actor
from orchestrator.services.workers import list_workers
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.workers.rows import DeviceLine, device_line

REFRESH_S = 10.0
CACHE_S = 4.0
"""How old the rows may be that another tab of the same user has read: workers send a heartbeat every five seconds."""
SHOWN = 3
"""Workers in the sidebar; the others are on the workers page."""


@dataclass(frozen=True, slots=True)
class _CachedLines:
    lines: list[DeviceLine]
    expires_at: float


_cache: dict[Actor, _CachedLines] = {}
_CACHE_LIMIT = 500


class WorkerStatusState(rx.State):
    """What the sidebar shows of the workers."""

    loaded: bool = False
    host: str = ""
    note: str = ""
    alive: bool = False
    lines: list[DeviceLine] = []

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads the workers again and again until the page is left."""
        while True:
            lines = await self._read()
            alive = sum(line.alive for line in lines)
            values = {
                "lines": lines[:SHOWN],
                "host": lines[0].host if lines else "No worker",
                "note": formatting.plural(alive, "worker") if lines else "jobs wait",
                "alive": alive > 0,
                "loaded": True,
            }
            changed = {name: value for name, value in values.items() if getattr(self, name) != value}
            if changed:
                async with self:
                    for name, value in changed.items():
                        setattr(self, name, value)
            await asyncio.sleep(REFRESH_S)

    async def _read(self) -> list[DeviceLine]:
        """The workers; all tabs of a user share one query."""
        actor = await find_actor(self)
        cached = _cache.get(actor) if actor else None
        if cached is not None and cached.expires_at > time.monotonic():
            return cached.lines
        rows = await run_as_user(self, list_workers)
        lines = [replace(line, device=line.device.split(",")[0]) for line in map(device_line, rows)]
        if actor is not None:
            if len(_cache) >= _CACHE_LIMIT:
                _cache.clear()
            _cache[actor] = _CachedLines(lines, time.monotonic() + CACHE_S)
        return lines
