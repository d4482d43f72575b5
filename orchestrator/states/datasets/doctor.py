"""The doctor's findings of one dataset: what is wrong, and one press to put it right."""

import asyncio
from dataclasses import dataclass, field

import reflex as rx

from orchestrator.domain.errors import AppError, Conflict, NotFound, NotSignedIn
from orchestrator.domain.numbers import parse_number
from orchestrator.services.datasets.curation.doctor import Report, apply_action, examine
from orchestrator.services.datasets.curation.edits import assign_splits
from orchestrator.services.datasets.curation.findings import Finding
from orchestrator.states.datasets.detail import DatasetDetailState, after_refresh, part_of_page
from orchestrator.states.datasets.versions import DatasetVersions, done
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, problems_of, signed_in
from orchestrator.ui.primitives.toast import toast

LOOK_S, MOST_LOOKS = 2.0, 1800
"""An hour; the copies go on without a page that counts them."""


@dataclass(frozen=True, slots=True)
class Cure:
    """What one press does about a finding."""

    kind: str
    action: str
    text: str


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding as the card shows it."""

    kind: str
    severity: str
    title: str
    detail: str
    shows: str
    """The button that shows its clips; "" where it is about no clips that can be seen."""
    cures: list[Cure] = field(default_factory=list)


@part_of_page
class DatasetDoctor(rx.State):
    """Read after the clips, so that a large dataset's page does not wait for it."""

    findings: list[FindingLine] = []
    passed: list[str] = []
    note: str = ""
    dataset_key: int = 0
    converting: bool = False
    """Copies are being made since a press of this page."""
    splitting: bool = False
    """The dialog that draws splits is open."""
    split_problems: dict[str, str] = {}

    @rx.event
    @signed_in
    async def look(self, dataset_id: int):
        """Examines the dataset that the page shows."""
        try:
            report = await act(self, examine, dataset_id)
        except NotFound:
            self.reset()
            return None
        self.converting = self.converting and self.dataset_key == dataset_id
        self.dataset_key = dataset_id
        self._show(report)
        return DatasetVersions.look(dataset_id)

    def _show(self, report: Report) -> None:
        self.findings = [
            FindingLine(
                f.kind, f.severity, f.title, f.detail, _shows(f), [Cure(f.kind, key, text) for key, text in f.actions]
            )
            for f in report.findings
        ]
        self.passed = report.passed
        self.note = formatting.plural(len(report.findings), "finding") if report.findings else ""

    @rx.event
    @signed_in
    async def cure(self, kind: str, action: str):
        """Does what a finding offers, and says how to take it back."""
        said = next(((line.title, line.detail) for line in self.findings if line.kind == kind), None)
        try:
            edit = await act(self, apply_action, self.dataset_key, kind, action, said)
        except (Conflict, NotFound) as error:  # it was put right elsewhere, or there is more of it
            return [toast("error", error.message), DatasetDetailState.refresh]
        if action == "transcode":
            self.converting = True
            return DatasetDoctor.follow_copies
        return [done(edit, "Deleted for good."), DatasetDetailState.refresh]

    @rx.event(background=True)
    @signed_in
    async def follow_copies(self):
        """Counts the copies down while they are made, as long as the page stays with this dataset."""
        async with self:
            dataset_id = self.dataset_key
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(LOOK_S)
            report = await act(self, examine, dataset_id)
            async with self:
                if self.dataset_key != dataset_id:
                    return
                self._show(report)
                self.converting = any(finding.kind == "unplayed" for finding in report.findings)
                if not self.converting:
                    return
        async with self:
            self.converting = False

    @rx.event
    @signed_in
    async def show_splits(self, opened: bool):
        self.splitting, self.split_problems = opened, {}

    @rx.event
    @signed_in
    async def draw_splits(self, form: dict[str, str]):
        """Holds a share of each class out for validation, the same clips for the same seed."""
        share, seed = (str(form.get(name, "")).strip() for name in ("share", "seed"))
        problems = {} if parse_number(share, 999) is not None else {"share": "Enter a whole number of percent."}
        if parse_number(seed, 999_999_999) is None:
            problems["seed"] = "Enter a whole number; any will do, the same one draws the same clips."
        if problems:
            self.split_problems = problems
            return None
        page = await self.get_state(DatasetDetailState)  # the doctor himself may still be looking
        try:
            edit = await act(self, assign_splits, page._id(), int(share) / 100, int(seed))
        except NotSignedIn:
            raise
        except AppError as error:
            self.split_problems = problems_of(error)
            return None
        self.splitting = False
        return [done(edit, "The clips are split so already."), DatasetDetailState.refresh]


after_refresh(DatasetDoctor.look)


def _shows(finding: Finding) -> str:
    """Damaged files have no picture; they are listed with their reasons elsewhere."""
    if finding.kind == "damaged" or not finding.clip_ids:
        return ""
    return "Show it" if len({*finding.clip_ids, *finding.beside}) == 1 else "Show them"
