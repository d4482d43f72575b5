"""One base model's page: its facts and layers, its pretraining, and the jobs and adapters made from it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx
from sqlmodel import Session

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
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
from orchestrator.states.models.index import PATH
from orchestrator.states.models.rows import LayerLine, ModelCard, layer_lines, memory_text, model_card
from orchestrator.states.shared.guards import run_as_user, signed_in, toast_for
from orchestrator.states.shared.hub_lookup import StoredToken
from orchestrator.states.shared.markdown import CardBlock, card_blocks
from orchestrator.states.shared.presentation import Fact, series_of
from orchestrator.states.shared.record_page import RecordPage

ADAPTERS_SHOWN = 12
SCORES = {
    "direction": "Direction of motion",
    "colour": "Colour",
    "shape": "Shape",
    "r1_of_64": "R@1 of 64",
    "r1_of_8_alike": "R@1 of 8 alike",
}
"""Keys of pretraining.json: the share of right answers on clips that were not trained on."""


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job on the model's page."""

    id: int
    name: str
    status: str
    series: int


@dataclass(frozen=True, slots=True)
class _Visit:
    row: ModelRow
    layers: list[LayerGroup]
    about: ModelDetails
    adapters: list[AdapterRow]
    tokens: list[CredentialRow]
    """Stored credentials, where a failed fetch may be repeated with one."""


def _read(session: Session, actor: Actor, model_id: int) -> _Visit:
    row = get_model(session, actor, model_id)
    adapters = list_adapters(session, actor, model_id=model_id, limit=ADAPTERS_SHOWN).items
    tokens = list_credentials(session, actor) if row.status == "error" and row.source == "hub" else []
    details = model_details(session, actor, model_id)
    return _Visit(row, model_layers(session, actor, model_id), details, adapters, tokens)


class ModelDetailState(RecordPage, StoredToken, rx.State):
    """What one model's page shows."""

    PATH: ClassVar[str] = PATH
    NOUN: ClassVar[str] = "model"

    card: ModelCard | None = None
    title: str = "Model"
    page_title: str = "Model - Loreel"
    figures: list[Fact] = []
    """The few facts at the top."""
    facts: list[Fact] = []
    layers: list[LayerLine] = []
    layers_note: str = ""
    pretraining: list[Fact] = []
    pretraining_text: str = ""
    text: list[CardBlock] = []
    classes_text: str = ""
    jobs: list[JobLine] = []
    adapters: list[AdapterLine] = []

    @rx.event
    @signed_in
    async def retry_import(self):
        """Fetches once more from the Hub, with the chosen token."""
        try:
            await run_as_user(self, retry_import, self._id(), parse_id(self.stored))
        except AppError as error:
            return toast_for(error)
        return await self._refresh()

    async def _read(self, *query: Any) -> _Visit:
        return await run_as_user(self, _read, *query)

    def _is_changing(self) -> bool:
        return self.card is not None and self.card.status in ("processing", "waiting")

    def _show(self, visit: _Visit) -> None:
        row, about = visit.row, visit.about
        self.card, self.title, self.page_title = model_card(row), row.name, f"{row.name} - Loreel"
        self.figures, self.facts = _figures(row), _facts(row)
        self.layers = layer_lines(visit.layers)
        adapted = sum(layer.count for layer in visit.layers if layer.default)
        self.layers_note = f"{adapted:,} of {sum(g.count for g in visit.layers):,} get an adapter by default"
        self.pretraining, self.pretraining_text = _scores(about.pretraining), _pretraining_text(about.pretraining)
        self.text, self.classes_text = card_blocks(about.card), ", ".join(about.classes)
        self.jobs = [JobLine(job.id, job.name, job.status, series_of(job.id)) for job in about.jobs]
        self.adapters = [adapter_line(row) for row in visit.adapters]
        self._offer_tokens(visit.tokens)


def _figures(row: ModelRow) -> list[Fact]:
    facts = [
        Fact("Parameters", formatting.short_count(row.parameters), f"{row.parameters:,}"),
        Fact("In 4-bit NF4", memory_text(row)),
        Fact("In 16-bit", formatting.size(2 * row.parameters) if row.parameters else ""),
        Fact("Frames per clip", str(row.details.get("frames") or "")),
        Fact("Picture size", _square(row.details.get("image_size"))),
    ]
    return [fact for fact in facts if fact.value]


def _square(side: Any) -> str:
    return f"{side} × {side}" if side else ""


def _facts(row: ModelRow) -> list[Fact]:
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


def _scores(pretraining: dict[str, Any]) -> list[Fact]:
    return [
        Fact(label, formatting.percent(float(pretraining[key]), 1))
        for key, label in SCORES.items()
        if isinstance(pretraining.get(key), int | float)
    ]


def _pretraining_text(pretraining: dict[str, Any]) -> str:
    steps, batch = pretraining.get("steps"), pretraining.get("batch")
    if not isinstance(steps, int) or not isinstance(batch, int):
        return ""
    seconds = pretraining.get("seconds")
    took = f" in {formatting.duration(seconds)}" if isinstance(seconds, int | float) else ""
    seed = f", seed {pretraining['seed']}" if "seed" in pretraining else ""
    before = (pretraining.get("after") or {}).get("steps")
    earlier = f", after {before:,} earlier ones" if isinstance(before, int) else ""
    return f"{steps:,} steps of {batch:,} drawn clips{took}{seed}{earlier}."
