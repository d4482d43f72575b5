"""The machines that train, for the foot of the sidebar: which there are and how full they are."""

import asyncio
from dataclasses import replace

import reflex as rx

from orchestrator.services.workers import list_workers
from orchestrator.states import words
from orchestrator.states.guards import act, signed_in
from orchestrator.states.overview_rows import DeviceLine, device_line

LOOK_AGAIN_S = 10.0
SHOWN = 3
"""The sidebar has room for so many; the rest stand on their own page."""


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
            rows = await act(self, list_workers)
            lines = [replace(line, device=line.device.split(",")[0]) for line in map(device_line, rows)]
            living = sum(line.alive for line in lines)
            async with self:
                if lines[:SHOWN] != self.lines:
                    self.lines = lines[:SHOWN]
                self.host = lines[0].host if lines else "No worker"
                self.note = words.plural(living, "worker") if lines else "jobs wait"
                self.alive, self.ready = living > 0, True
            await asyncio.sleep(LOOK_AGAIN_S)
