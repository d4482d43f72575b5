"""One adapter's page: where it came from, its results, the other versions of its name, and what can be done with it."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.users import Actor
from orchestrator.services.adapters import catalog
from orchestrator.services.adapters.files import FileRow
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.states.adapters.index import PATH
from orchestrator.states.adapters.rows import AdapterLine, MetricLine, adapter_line, baseline_name, metric_lines
from orchestrator.states.jobs.new_rows import review_rows
from orchestrator.states.shared.guards import run_as_user, signed_in, toast_for
from orchestrator.states.shared.markdown import CardBlock, card_blocks
from orchestrator.states.shared.presentation import Fact
from orchestrator.states.shared.record_page import RecordPage


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of the download."""

    name: str
    size: str
    href: str
    """"" where the file is in the complete download only, because the job was deleted."""


@dataclass(frozen=True, slots=True)
class _Visit:
    row: AdapterRow
    versions: list[AdapterRow]
    files: list[FileRow]
    readme: str
    consequences: list[str]


def _read(session: Session, actor: Actor, adapter_id: int) -> _Visit:
    return _Visit(
        catalog.get_adapter(session, actor, adapter_id),
        catalog.list_versions(session, actor, adapter_id),
        catalog.adapter_files(session, actor, adapter_id),
        catalog.model_card(session, actor, adapter_id),
        catalog.dependents(session, actor, adapter_id),
    )


class AdapterDetailState(RecordPage, rx.State):
    """What the page of one adapter version shows."""

    PATH: ClassVar[str] = PATH
    NOUN: ClassVar[str] = "adapter"

    card: AdapterLine | None = None
    page_title: str = "Adapter - Loreel"
    title: str = "Adapter"
    metrics: list[MetricLine] = []
    metrics_note: str = ""
    baseline_name: str = ""
    """What the version is compared with: base, chance or the adapter that it continues."""
    versions: list[AdapterLine] = []
    compare: str = ""
    """The address that compares the jobs of all versions; "" with fewer than two jobs left."""
    settings: list[Fact] = []
    revision: str = ""
    revision_short: str = ""
    files: list[FileLine] = []
    readme: list[CardBlock] = []
    """Its model card."""
    consequences: list[str] = []
    """What else deleting this version affects."""
    deleting: bool = False

    @rx.event
    @signed_in
    async def promote(self, production: bool):
        """Puts this version into production, or takes it out."""
        row = await run_as_user(self, catalog.promote, self._id(), production)
        await self._refresh()
        word = "is in production now" if row.production else "is not in production any more"
        return rx.toast.success(f"{row.name} v{row.version} {word}.")

    @rx.event
    @signed_in
    async def show_delete(self, opened: bool):
        if opened:
            self.consequences = await run_as_user(self, catalog.dependents, self._id())
        self.deleting = opened

    @rx.event
    @signed_in
    async def delete(self):
        self.deleting = False
        try:
            await run_as_user(self, catalog.delete_adapter, self._id())
        except AppError as error:
            return toast_for(error)
        return [rx.toast.success(f"{self.title} is deleted."), rx.redirect(PATH)]

    async def _read(self, *query: Any) -> _Visit:
        return await run_as_user(self, _read, *query)

    def _show(self, visit: _Visit) -> None:
        row = visit.row
        self.card = adapter_line(row)
        self.title, self.page_title = self.card.label, f"{self.card.label} - Loreel"
        self.metrics, self.versions = metric_lines(row), version_lines(self.card, visit.versions)
        self.baseline_name = baseline_name(row).capitalize()
        held_out = row.summary.validation_clips
        self.metrics_note = (
            f"on {formatting.plural(held_out, 'clip')} that were not trained on"
            if isinstance(held_out, int) and held_out
            else ""
        )
        jobs = [str(version.job_id) for version in visit.versions if version.job_id]
        self.compare = f"/jobs/compare?ids={','.join(jobs[:20])}" if len(jobs) > 1 else ""
        self.settings = _settings(row)
        self.revision, self.revision_short = row.model_revision, row.model_revision[:12]
        self.files = [
            FileLine(file.name, formatting.size(file.size_bytes), _file_href(row, file.name)) for file in visit.files
        ]
        self.readme, self.consequences = card_blocks(visit.readme), visit.consequences


def _file_href(row: AdapterRow, name: str) -> str:
    return f"/api/v1/jobs/{row.job_id}/artifacts/adapter/{name}" if row.job_id and row.kind == "adapter" else ""


def version_lines(card: AdapterLine, versions: list[AdapterRow]) -> list[AdapterLine]:
    """The versions of one name; a value of another metric than the shown version's says which metric it is."""
    return [
        replace(line, value=f"{line.value} {line.metric}") if line.value and line.metric != card.metric else line
        for line in map(adapter_line, versions)
    ]


def _settings(row: AdapterRow) -> list[Fact]:
    """The recipe, worded as in the wizard's summary."""
    try:
        recipe = Recipe.model_validate(row.recipe)
    except ValueError:
        return []
    lines = review_rows(row.dataset_name, row.model_name, recipe, "")
    seconds = row.summary.train_seconds
    facts = [Fact(line.label, line.value) for line in lines if line.group not in ("Data", "Output", "Model", "Dataset")]
    if isinstance(seconds, int | float):
        facts.append(Fact("Trained for", formatting.duration(seconds)))
    return facts
