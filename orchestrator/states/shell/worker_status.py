"""The machines that train, for the foot of the sidebar: which there are and how full they are."""

import asyncio
import time
from dataclasses import dataclass, replace

import reflex as rx

from orchestrator.domain.users import Actor
from orchestrator.services.workers import list_workers
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.workers.rows import DeviceLine, device_line

LOOK_AGAIN_S = 10.0
SHARED_S = 4.0
"""How old a look may be that another tab of the same person took: workers beat every five seconds."""
SHOWN = 3
"""The sidebar has room for so many; the rest stand on their own page."""


@dataclass(frozen=True, slots=True)
class _Look:
    lines: list[DeviceLine]
    until: float


_seen: dict[Actor, _Look] = {}
_MANY = 500


class MachinesState(rx.State):
    """What the sidebar says of the workers."""

    ready: bool = False
    host: str = ""
    note: str = ""
    alive: bool = False
    lines: list[DeviceLine] = []

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Reads the workers' beats until the page is left."""
        while True:
            lines = await self._look()
            living = sum(line.alive for line in lines)
            seen = {
                "lines": lines[:SHOWN],
                "host": lines[0].host if lines else "No worker",
                "note": formatting.plural(living, "worker") if lines else "jobs wait",
                "alive": living > 0,
                "ready": True,
            }
            fresh = {name: value for name, value in seen.items() if getattr(self, name) != value}
            if fresh:
                async with self:
                    for name, value in fresh.items():
                        setattr(self, name, value)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _look(self) -> list[DeviceLine]:
        """All tabs of a person share one look at the ledger."""
        actor = await find_actor(self)
        known = _seen.get(actor) if actor else None
        if known is not None and known.until > time.monotonic():
            return known.lines
        rows = await act(self, list_workers)
        lines = [replace(line, device=line.device.split(",")[0]) for line in map(device_line, rows)]
        if actor is not None:
            if len(_seen) >= _MANY:
                _seen.clear()
            _seen[actor] = _Look(lines, time.monotonic() + SHARED_S)
        return lines
