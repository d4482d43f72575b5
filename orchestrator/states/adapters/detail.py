"""One adapter's page: where it came from, what it reached, the other versions of its name, and what is done with it."""

from dataclasses import dataclass, replace

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.users import Actor
from orchestrator.services.adapters import catalog
from orchestrator.services.adapters.files import FileRow
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.states.adapters.rows import AdapterLine, Measured, adapter_line, measured
from orchestrator.states.jobs.new_rows import review_rows
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, said, signed_in
from orchestrator.states.shared.presentation import Fact

PATH = "/adapters"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of the download."""

    name: str
    size: str


@dataclass(frozen=True, slots=True)
class _Visit:
    row: AdapterRow
    line: list[AdapterRow]
    files: list[FileRow]
    goes: list[str]


def _read(session: Session, actor: Actor, adapter_id: int) -> _Visit:
    return _Visit(
        catalog.get_adapter(session, actor, adapter_id),
        catalog.list_versions(session, actor, adapter_id),
        catalog.adapter_files(session, actor, adapter_id),
        catalog.dependents(session, actor, adapter_id),
    )


class AdapterDetailState(rx.State):
    """What one version's page shows; its id comes with the address."""

    card: AdapterLine | None = None
    tab: str = "Adapter - Loreel"
    title: str = "Adapter"
    reached: list[Measured] = []
    reached_note: str = ""
    versions: list[AdapterLine] = []
    compare: str = ""
    """The address that sets the line's jobs side by side; "" with fewer than two left."""
    settings: list[Fact] = []
    revision: str = ""
    revision_short: str = ""
    files: list[FileLine] = []
    goes: list[str] = []
    deleting: bool = False
    loaded: bool = False
    missing: bool = False
    problem: str = ""

    @rx.event
    @signed_in
    async def load(self):
        """on_load: forgets the version shown before, unless it is the same one."""
        if self.card is None or self.card.id != self._id():
            self.reset()
        await self._refresh()

    @rx.event
    @signed_in
    async def refresh(self):
        await self._refresh()

    @rx.event
    @signed_in
    async def promote(self, production: bool):
        """Puts this version into production, or takes it out."""
        row = await act(self, catalog.promote, self._id(), production)
        await self._refresh()
        word = "is in production now" if row.production else "is not in production any more"
        return rx.toast.success(f"{row.name} v{row.version} {word}.")

    @rx.event
    @signed_in
    async def show_delete(self, opened: bool):
        if opened:
            self.goes = await act(self, catalog.dependents, self._id())
        self.deleting = opened

    @rx.event
    @signed_in
    async def delete(self):
        gone = self.title
        try:
            await act(self, catalog.delete_adapter, self._id())
        except NotSignedIn:
            raise
        except AppError as error:
            self.deleting = False
            return said(error)
        self.deleting = False
        return [rx.toast.success(f"{gone} is deleted."), rx.redirect(PATH)]

    def _id(self) -> int:
        text = str(self.router.url.path).rstrip("/").rpartition("/")[2]
        return parse_id(text)

    async def _refresh(self) -> None:
        try:
            self._show(await act(self, _read, self._id()))
        except NotSignedIn:
            raise
        except NotFound:
            self.missing, self.loaded = True, True
        except AppError as error:
            self.problem, self.loaded = error.message, True

    def _show(self, visit: _Visit) -> None:
        row = visit.row
        self.card = adapter_line(row)
        self.title, self.tab = self.card.label, f"{self.card.label} - Loreel"
        self.reached, self.versions = measured(row), sisters(self.card, visit.line)
        held = row.summary.validation_clips
        self.reached_note = f"on {formatting.plural(held, 'clip')} it never saw" if held else ""
        jobs = [str(one.job_id) for one in visit.line if one.job_id]
        self.compare = f"/jobs/compare?ids={','.join(jobs[:20])}" if len(jobs) > 1 else ""
        self.settings = _settings(row)
        self.revision, self.revision_short = row.model_revision, row.model_revision[:12]
        self.files = [FileLine(file.name, formatting.size(file.size_bytes)) for file in visit.files]
        self.goes = visit.goes
        self.missing, self.problem, self.loaded = False, "", True


def sisters(card: AdapterLine, line: list[AdapterRow]) -> list[AdapterLine]:
    """The versions of one name; a value that is not of the shown version's measure says what it is of."""
    found = [adapter_line(one) for one in line]
    return [
        replace(one, value=f"{one.value} {one.measure}") if one.value and one.measure != card.measure else one
        for one in found
    ]


def _settings(row: AdapterRow) -> list[Fact]:
    """The recipe, in the words of the wizard's summary."""
    try:
        recipe = Recipe.model_validate(row.recipe)
    except ValueError:
        return []
    told = review_rows(row.dataset_name, row.model_name, recipe, "")
    spent = row.summary.train_seconds
    facts = [Fact(line.label, line.value) for line in told if line.group not in ("Data", "Output", "Model", "Dataset")]
    if spent is not None:
        facts.append(Fact("Trained for", formatting.duration(spent)))
    return facts
