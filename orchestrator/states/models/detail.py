"""One base model's page: its facts, its layers, how it was pretrained, and the jobs that trained it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from orchestrator.domain.errors import AppError, NotFound, NotSignedIn
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.catalog import list_adapters
from orchestrator.services.adapters.rows import AdapterRow
from orchestrator.services.credentials import CredentialRow, list_credentials
from orchestrator.services.models.adding import retry_import
from orchestrator.services.models.catalog import get_model, model_layers
from orchestrator.services.models.details import ModelDetails, model_details
from orchestrator.services.models.rows import LayerGroup, ModelRow
from orchestrator.states.adapters.rows import AdapterLine, adapter_line
from orchestrator.states.models.rows import LayerLine, ModelCard, layer_lines, memory_text, model_card
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.hub_lookup import StoredToken
from orchestrator.states.shared.markdown import CardBlock, card_blocks
from orchestrator.states.shared.presentation import Fact, series_color

LOOK_AGAIN_S = 1.0
ADAPTERS_SHOWN = 12
SCORES = {
    "direction": "Direction of motion",
    "colour": "Colour",
    "shape": "Shape",
    "r1_of_64": "R@1 of 64",
    "r1_of_8_alike": "R@1 of 8 alike",
}
"""Shares in pretraining.json that are right answers on clips the model never saw."""


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job on the model's page."""

    id: int
    name: str
    status: str
    color: str


@dataclass(frozen=True, slots=True)
class _Visit:
    row: ModelRow
    layers: list[LayerGroup]
    about: ModelDetails
    adapters: list[AdapterRow]
    tokens: list[CredentialRow]
    """Stored credentials, where a fetch may be tried again with one."""


def _read(session: Session, actor: Actor, model_id: int) -> _Visit:
    row = get_model(session, actor, model_id)
    made = list_adapters(session, actor, model_id=model_id, limit=ADAPTERS_SHOWN).items
    tokens = list_credentials(session, actor) if row.status == "error" and row.source == "hub" else []
    return _Visit(row, model_layers(session, actor, model_id), model_details(session, actor, model_id), made, tokens)


class ModelDetailState(StoredToken, rx.State):
    """What one model's page shows; its id comes with the address."""

    card: ModelCard | None = None
    title: str = "Model"
    tab: str = "Model - Loreel"
    facts: list[Fact] = []
    rows_of_facts: list[Fact] = []
    layers: list[LayerLine] = []
    layers_note: str = ""
    pretraining: list[Fact] = []
    pretraining_text: str = ""
    text: list[CardBlock] = []
    classes_text: str = ""
    jobs: list[JobLine] = []
    adapters: list[AdapterLine] = []
    loaded: bool = False
    missing: bool = False
    problem: str = ""

    @rx.event
    @signed_in
    async def load(self):
        """on_load: forgets the model shown before, unless it is the same one."""
        if self.card is None or self.card.id != self._id():
            self.reset()
        return await self._refresh()

    @rx.event
    @signed_in
    async def refresh(self):
        return await self._refresh()

    def _id(self) -> int:
        text = str(self.router.url.path).rstrip("/").rpartition("/")[2]
        return parse_id(text)

    @rx.event
    @signed_in
    async def try_again(self):
        """Fetches once more from the Hub, with the chosen token."""
        try:
            await act(self, retry_import, self._id(), self._token_id())
        except NotSignedIn:
            raise
        except AppError as error:
            return rx.toast.error(error.message)
        return await self._refresh()

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def watch(self):
        """Looks again while the model is brought; ends with the page."""
        while self.card is not None and self.card.status in ("processing", "waiting"):
            await asyncio.sleep(LOOK_AGAIN_S)
            async with self:
                wanted = self._id()
            try:
                visit = await act(self, _read, wanted)
            except NotFound:
                return
            async with self:
                if wanted == self._id():
                    self._show(visit)

    async def _refresh(self):
        try:
            self._show(await act(self, _read, self._id()))
        except NotSignedIn:
            raise
        except NotFound:
            self.missing, self.loaded = True, True
        except AppError as error:
            self.problem, self.loaded = error.message, True
        busy = self.card is not None and self.card.status in ("processing", "waiting")
        return ModelDetailState.watch if busy else None

    def _show(self, visit: _Visit) -> None:
        row, about = visit.row, visit.about
        self.card, self.title, self.tab = model_card(row), row.name, f"{row.name} - Loreel"
        self.facts, self.rows_of_facts = _figures(row), _rows(row)
        self.layers = layer_lines(visit.layers)
        chosen = [layer for layer in visit.layers if layer.default]
        adapted = sum(layer.count for layer in chosen)
        self.layers_note = f"{adapted:,} of {sum(g.count for g in visit.layers):,} get an adapter by default"
        self.pretraining, self.pretraining_text = _scores(about.pretraining), _how(about.pretraining)
        self.text, self.classes_text = card_blocks(about.card), ", ".join(about.classes)
        self.jobs = [JobLine(job.id, job.name, job.status, series_color(job.id)) for job in about.jobs]
        self.adapters = [adapter_line(one) for one in visit.adapters]
        self._offer_tokens(visit.tokens)
        self.missing, self.problem, self.loaded = False, "", True


def _figures(row: ModelRow) -> list[Fact]:
    facts = [
        Fact("Parameters", formatting.short_count(row.parameters), f"{row.parameters:,}"),
        Fact("In 4-bit NF4", memory_text(row)),
        Fact("In 16-bit", formatting.size(2 * row.parameters) if row.parameters else ""),
        Fact("Frames a clip", str(row.details.get("frames") or "")),
        Fact("Picture size", _square(row.details.get("image_size"))),
    ]
    return [fact for fact in facts if fact.value]


def _square(side: Any) -> str:
    return f"{side} × {side}" if side else ""


def _rows(row: ModelRow) -> list[Fact]:
    hub_commit = str(row.details.get("hub_revision") or "")
    facts = [
        Fact("Architecture", row.architecture),
        Fact("Blocks", str(row.details.get("blocks") or "")),
        Fact("Hidden size", str(row.details.get("hidden_size") or "")),
        Fact("Weights on disk", formatting.size(row.size_bytes) if row.size_bytes else ""),
        Fact("Source", "Built in" if row.source == "builtin" else row.source_ref or "Folder on this machine"),
        Fact("Revision", row.revision[:12], row.revision),
        Fact("Commit on the Hub", hub_commit[:12], hub_commit),
    ]
    return [fact for fact in facts if fact.value]


def _scores(found: dict[str, Any]) -> list[Fact]:
    return [
        Fact(word, formatting.percent(float(found[key]), 1))
        for key, word in SCORES.items()
        if isinstance(found.get(key), int | float)
    ]


def _how(found: dict[str, Any]) -> str:
    steps, batch = found.get("steps"), found.get("batch")
    if not isinstance(steps, int) or not isinstance(batch, int):
        return ""
    spent = found.get("seconds")
    took = f" in {formatting.duration(spent)}" if isinstance(spent, int | float) else ""
    seed = f", seed {found['seed']}" if "seed" in found else ""
    before = (found.get("after") or {}).get("steps")
    earlier = f", after {before:,} earlier ones" if isinstance(before, int) else ""
    return f"{steps:,} steps of {batch:,} drawn clips{took}{seed}{earlier}."
