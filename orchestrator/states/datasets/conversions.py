"""The dialog that converts annotations into another kind: it shows what becomes what before anything is changed."""

from dataclasses import dataclass

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.annotations import CAPTION_QUESTION, QUESTION_LIMIT, Annotations
from orchestrator.domain.errors import AppError
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.conversions import (
    CONVERSIONS,
    Applicable,
    Conversion,
    applicable_conversions,
    convert_annotations,
)
from orchestrator.services.datasets.curation.doctor import clips_of_finding
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.datasets.versions import edit_toast
from orchestrator.states.shared.dialog import Dialog
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in
from orchestrator.ui.primitives.toast import toast

_SHOWN_LINES, _SHOWN_CHARACTERS = 4, 160


@dataclass(frozen=True, slots=True)
class Example:
    """A clip before and after a conversion, a line for each thing that is written about it."""

    name: str
    before: list[str]
    after: list[str]


def annotation_lines(annotations: Annotations) -> list[str]:
    """What is written about a clip, as short lines: its labels, each caption, each question with its answer."""
    lines = [f"Labels: {', '.join(annotations.labels)}"] if annotations.labels else []
    lines += annotations.captions
    for talk in annotations.conversations:
        lines += [f"{turn.question} → {turn.answer}" for turn in talk.turns]
    more = len(lines) - _SHOWN_LINES
    shown = [" ".join(line.split()) for line in lines[:_SHOWN_LINES]]
    cut = [line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}…" for line in shown]
    return [*cut, f"and {more:,} more"] if more > 0 else cut or ["nothing"]


def _find(session: Session, actor: Actor, dataset_id: int, finding: str) -> tuple[list[int] | None, list[Applicable]]:
    """The clips of a finding of the doctor, or None for all, and the conversions that would change any of them."""
    found = clips_of_finding(session, actor, dataset_id, finding) if finding else None
    ids = found[1] if found else None
    return ids, applicable_conversions(session, actor, dataset_id, ids)


@part_of_page
class DatasetConversionState(Dialog, rx.State):
    """The conversions that would change clips, the chosen one with some clips before and after it."""

    choices: list[dict[str, str]] = []
    chosen: str = ""
    question: str = CAPTION_QUESTION
    problems: dict[str, str] = {}
    _applicable: list[Applicable] = []
    _clip_ids: list[int] | None = None
    """Of the doctor's finding; None for all clips."""

    @rx.var
    def asks(self) -> bool:
        """Whether the chosen conversion needs a question."""
        return self.chosen == Conversion.CAPTIONS_TO_QUESTIONS

    @rx.var
    def counts(self) -> str:
        """How many clips the chosen conversion changes, and how many of them are used after it."""
        row = next((row for row in self._applicable if row.conversion == self.chosen), None)
        if row is None:
            return ""
        used = "all of them are" if row.usable == row.clips else f"{formatting.count(row.usable)} of them can be"
        return f"{formatting.plural(row.clips, 'clip')} will be changed; {used} used for training after it."

    @rx.var
    def examples(self) -> list[Example]:
        """Some clips before and after the chosen conversion."""
        row = next((row for row in self._applicable if row.conversion == self.chosen), None)
        if row is None:
            return []
        convert, question = CONVERSIONS[row.conversion].convert, self.question.strip() or "…"
        return [
            Example(name, annotation_lines(before), annotation_lines(convert(before, question)))
            for name, before in row.examples
        ]

    @rx.event
    @signed_in
    async def open_conversions(self, finding: str = "", conversion: str = ""):
        """Opens the dialog for all clips, or for those of a finding of the doctor with one of its conversions."""
        page = await self.get_state(DatasetDetailState)
        try:
            self._clip_ids, self._applicable = await run_as_user(self, _find, page._id(), finding)
        except AppError as error:
            return toast("error", error.message)
        if not self._applicable:
            return toast("info", "No clip has annotations that can be converted.")
        self.choices = [
            {
                "value": row.conversion.value,
                "label": CONVERSIONS[row.conversion].title,
                "hint": formatting.plural(row.clips, "clip"),
            }
            for row in self._applicable
        ]
        values = [choice["value"] for choice in self.choices]
        self.chosen = conversion if conversion in values else values[0]
        self.question, self.problems, self.opened = CAPTION_QUESTION, {}, True
        return None

    @rx.event
    @signed_in
    async def choose(self, conversion: str):
        self.chosen, self.problems = conversion, {}

    @rx.event
    @signed_in
    async def type_question(self, text: str):
        self.question = text[:QUESTION_LIMIT]

    @rx.event
    @signed_in
    async def convert(self):
        """Converts the annotations; a refusal is shown in the dialog, where nothing was changed."""
        page = await self.get_state(DatasetDetailState)
        try:
            edit = await run_as_user(self, convert_annotations, page._id(), self.chosen, self._clip_ids, self.question)
        except AppError as error:
            self.problems = problems_of(error)
            return None
        self.opened = False
        return [edit_toast(edit, "No clip has such annotations any more."), DatasetDetailState.refresh]
