"""The dialog that corrects how a dataset's files are read: layout, columns, the folder that is the class, splits."""

from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import LARGEST_ID, parse_number
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.ingest.layouts.detect import LAYOUTS
from orchestrator.services.datasets.ingest.layouts.reading import ROLES
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.shared.dialog import Dialog
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in

DETECTED, BY_NAME = "detected", "found"
LAYOUT_CHOICES = [(DETECTED, "As detected"), *((key, title) for key, (title, _) in LAYOUTS.items())]
_BY_NAME = {"value": BY_NAME, "label": "Found by its name"}
_NONE = {"value": "-", "label": "None"}


@part_of_page
class DatasetReadingState(Dialog, rx.State):
    """What is chosen in the dialog; nothing happens before "Re-import"."""

    layout: str = DETECTED
    columns: dict[str, str] = {}
    level: str = "1"
    ignore_splits: bool = False
    frame_rate: str = ""
    """Frames a second of folders of pictures, as it is typed; "" for what the files say."""
    usual_rate: str = ""
    """The rate that is taken where none is typed."""
    has_frame_folders: bool = False
    column_choices: list[dict[str, str]] = []
    level_choices: list[dict[str, str]] = []
    problems: dict[str, str] = {}

    @rx.event
    @signed_in
    async def open(self):
        """Opens the dialog with the last choices."""
        page = await self.get_state(DatasetDetailState)
        row = await run_as_user(self, get_dataset, page._id())
        choices, last = row.layout.get("choices") or {}, row.layout.get("reading") or {}
        self.column_choices = [
            _BY_NAME,
            _NONE,
            *({"value": name, "label": name} for name in choices.get("columns", [])),
        ]
        folders = choices.get("folders") or ["its own folder"]
        self.level_choices = [
            {"value": str(level), "label": f"{level} above the clip", "hint": f"for example {name}"}
            for level, name in enumerate(folders, 1)
        ]
        self.layout, self.level = last.get("layout") or DETECTED, str(last.get("level") or 1)
        rate, usual = last.get("frame_rate") or 0.0, choices.get("frame_rate") or 0.0
        self.has_frame_folders, self.usual_rate = bool(usual), f"{usual:g}"
        self.frame_rate = f"{rate:g}" if rate else ""
        self.columns = dict.fromkeys(ROLES, BY_NAME) | dict(last.get("columns") or {})
        self.ignore_splits, self.problems, self.opened = bool(last.get("ignore_splits")), {}, True

    @rx.event
    @signed_in
    async def choose_layout(self, layout: str):
        self.layout, self.problems = layout, {}

    @rx.event
    @signed_in
    async def choose_column(self, role: str, column: str):
        self.columns = {**self.columns, role: column}

    @rx.event
    @signed_in
    async def choose_level(self, level: str):
        self.level = level

    @rx.event
    @signed_in
    async def choose_splits(self, ignore: bool):
        self.ignore_splits = ignore

    @rx.event
    @signed_in
    async def set_frame_rate(self, rate: str):
        self.frame_rate, self.problems = rate, {}

    @rx.event
    @signed_in
    async def read_again(self):
        """Lets a worker read the files again; the page shows its progress."""
        page = await self.get_state(DatasetDetailState)
        values: dict[str, Any] = {
            "layout": "" if self.layout == DETECTED else self.layout,
            "columns": {role: name for role, name in self.columns.items() if name != BY_NAME},
            "level": parse_number(self.level, LARGEST_ID) or 1,
            "ignore_splits": self.ignore_splits,
            "frame_rate": _rate(self.frame_rate) if self.has_frame_folders else 0.0,
        }
        try:
            await run_as_user(self, request_reinterpretation, page._id(), values)
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.opened = False
        return DatasetDetailState.refresh


def _rate(text: str) -> float | str:
    """A typed rate, also with a comma; 0.0 for none, and a text that is no number as it is."""
    try:
        return float(text.strip().replace(",", ".") or 0)
    except ValueError:
        return text
