"""The doctor of a dataset's page: what is wrong with its clips, and buttons that correct it."""

import asyncio
from dataclasses import dataclass, field

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError, Conflict, NotFound
from orchestrator.domain.numbers import parse_number
from orchestrator.services.datasets.curation.conversions import Conversion
from orchestrator.services.datasets.curation.doctor import Report, apply_action, examine
from orchestrator.services.datasets.curation.edits import assign_splits
from orchestrator.services.datasets.curation.findings import Finding
from orchestrator.states.datasets.detail import DatasetDetailState, after_refresh, part_of_page
from orchestrator.states.datasets.versions import DatasetVersionsState, edit_toast
from orchestrator.states.shared.guards import problems_of, run_as_user, signed_in
from orchestrator.ui.primitives.toast import toast

POLL_S, MAX_POLLS = 2.0, 1800
"""One hour; copies are made whether or not a page counts them."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button that does something about a finding."""

    kind: str
    action: str
    text: str
    converts: bool = False
    """It converts annotations, which is shown in a dialog first."""


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding as the card shows it."""

    kind: str
    severity: str
    title: str
    detail: str
    show_label: str
    """The label of the button that shows its clips; "" where there are none that can be shown."""
    remedies: list[Remedy] = field(default_factory=list)


@part_of_page
class DatasetDoctorState(rx.State):
    """The findings; read after the clips, so that a large dataset's page does not wait for them."""

    findings: list[FindingLine] = []
    passed: list[str] = []
    note: str = ""
    dataset_key: int = 0
    converting: bool = False
    """Playable copies are being made, as this page has requested."""
    splitting: bool = False
    """The dialog that assigns splits is open."""
    split_problems: dict[str, str] = {}

    @rx.event
    @signed_in
    async def load(self, dataset_id: int):
        """Examines the dataset on the page."""
        try:
            report = await run_as_user(self, examine, dataset_id)
        except NotFound:
            self.reset()
            return None
        self.converting = self.converting and self.dataset_key == dataset_id
        self.dataset_key = dataset_id
        self._show(report)
        return DatasetVersionsState.load(dataset_id)

    def _show(self, report: Report) -> None:
        self.findings = [
            FindingLine(
                f.kind,
                f.severity,
                f.title,
                f.detail,
                _show_label(f),
                [Remedy(f.kind, key, text, key in list(Conversion)) for key, text in f.actions],
            )
            for f in report.findings
        ]
        self.passed = report.passed
        self.note = formatting.plural(len(report.findings), "finding") if report.findings else ""

    @rx.event
    @signed_in
    async def apply(self, kind: str, action: str):
        """Applies a remedy, with a toast that can undo it."""
        shown = next(((line.title, line.detail) for line in self.findings if line.kind == kind), None)
        try:
            edit = await run_as_user(self, apply_action, self.dataset_key, kind, action, shown)
        except (Conflict, NotFound) as error:  # the finding has changed since it was shown
            return [toast("error", error.message), DatasetDetailState.refresh]
        if action == "transcode":
            self.converting = True
            return DatasetDoctorState.follow_copies
        return [edit_toast(edit, "Deleted for good."), DatasetDetailState.refresh]

    @rx.event(background=True)
    @signed_in
    async def follow_copies(self):
        """Refreshes the findings while copies are made, as long as the page shows this dataset."""
        async with self:
            dataset_id = self.dataset_key
        for _ in range(MAX_POLLS):
            await asyncio.sleep(POLL_S)
            report = await run_as_user(self, examine, dataset_id)
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
        """Assigns a share of each class to validation; the same seed selects the same clips."""
        share, seed = (str(form.get(name, "")).strip() for name in ("share", "seed"))
        problems = {} if parse_number(share, 999) is not None else {"share": "Enter a whole number of percent."}
        if parse_number(seed, 999_999_999) is None:
            problems["seed"] = "Enter a whole number. The same one selects the same clips."
        if problems:
            self.split_problems = problems
            return None
        page = await self.get_state(DatasetDetailState)  # the findings may not be loaded yet
        try:
            edit = await run_as_user(self, assign_splits, page._id(), int(share) / 100, int(seed))
        except AppError as error:
            self.split_problems = problems_of(error)
            return None
        self.splitting = False
        return [edit_toast(edit, "The clips have these splits already."), DatasetDetailState.refresh]


after_refresh(DatasetDoctorState.load)


def _show_label(finding: Finding) -> str:
    """Damaged files have no thumbnail; they are listed with their reasons under "Left out"."""
    if finding.kind == "damaged" or not finding.clip_ids:
        return ""
    return "Show it" if len({*finding.clip_ids, *finding.related}) == 1 else "Show them"
