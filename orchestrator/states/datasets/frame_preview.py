"""What a model sees of the open clip: which frames under which settings, where they lie in it, and their pixels."""

from dataclasses import dataclass
from urllib.parse import urlencode

import reflex as rx

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.domain.numbers import parse_number
from orchestrator.domain.tasks import TASKS
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.media.frame_preview import FramePreview, FrameSettings, render_frame_preview
from orchestrator.services.models.catalog import list_models
from orchestrator.states.datasets.clips import DatasetClips
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, signed_in

MOST_MODELS = 100
OUTCOME = "seen-outcome"
"""The id of what a drawing comes to, be it frames or the reason why not."""
_INTO_VIEW = (
    "setTimeout(() => { const seen = document.getElementById('" + OUTCOME + "'); if (!seen) return;"
    " const show = () => seen.scrollIntoView({block: 'nearest'}), image = seen.querySelector('img'); show();"
    " if (image && !image.complete) image.addEventListener('load', show, {once: true}); }, 60)"
)
"""It stands below the choices, where a low dialog does not reach."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A frame on the timeline; `left` in percent of the clip."""

    left: float
    text: str


@part_of_page
class DatasetSeen(rx.State):
    """Drawn on demand; forgotten when another clip is opened."""

    clip_id: int = 0
    """The clip that this is about; the dialog may show another by now."""
    models: list[dict[str, str]] = []
    model: str = ""
    frames: str = ""
    size: str = ""
    drawing: bool = False
    image: str = ""
    said: str = ""
    marks: list[Mark] = []
    problem: str = ""
    problem_at: str = ""
    """The field that it is about: model, frames or size; "" where it is about none."""

    @rx.event
    @signed_in
    async def begin(self):
        """Offers the models that are ready."""
        clips = await self.get_state(DatasetClips)
        page = await self.get_state(DatasetDetailState)
        task = (await act(self, get_dataset, page._id())).task
        found = await act(self, list_models, model_type=TASKS[task].model_type, limit=MOST_MODELS)
        ready = [row for row in found.items if row.status in ("ready", "in_use")]
        self.models = [{"value": str(row.id), "label": row.name, "hint": row.architecture} for row in ready]
        known = {choice["value"] for choice in self.models}
        self.model = self.model if self.model in known else next(iter(sorted(known, key=int)), "")
        self.image, self.marks, self.said = "", [], ""
        self._say("")
        self.clip_id = clips.clip.id if clips.clip else 0

    @rx.event
    @signed_in
    async def choose_model(self, model: str):
        self.model = model

    @rx.event
    @signed_in
    async def type_frames(self, text: str):
        self.frames = text

    @rx.event
    @signed_in
    async def type_size(self, text: str):
        self.size = text

    @rx.event
    @signed_in
    async def draw(self):
        """Draws the frames; the first time takes some seconds."""
        if not self.model or not self.clip_id:
            self._say("Choose a model that is ready.", "model")
            yield rx.call_script(_INTO_VIEW)
            return
        odd = next((name for name in ("frames", "size") if not _is_whole(getattr(self, name))), "")
        if odd:
            self._say("Frames and frame size are whole numbers; leave them empty for what the model was made for.", odd)
            yield rx.call_script(_INTO_VIEW)
            return
        wanted = FrameSettings(_whole(self.frames), _whole(self.size))
        self.drawing = True
        self._say("")
        yield
        try:
            found = await act(self, render_frame_preview, self.clip_id, int(self.model), wanted)
        except NotSignedIn:
            raise
        except AppError as error:
            self._say(error.message, error.field)
            self.image, self.marks = "", []
        else:
            self._show(found, wanted)
        self.drawing = False
        yield rx.call_script(_INTO_VIEW)

    def _say(self, sentence: str, field: str = "") -> None:
        self.problem, self.problem_at = sentence, field

    def _show(self, found: FramePreview, wanted: FrameSettings) -> None:
        given = {"frames": wanted.frames, "size": wanted.size}
        asked = {"model_id": self.model} | {name: value for name, value in given.items() if value}
        self.image = f"/api/v1/clips/{self.clip_id}/seen.png?{urlencode(asked)}"
        last = max(1, found.frames - 1)
        self.marks = [
            Mark(100 * index / last, f"Frame {index + 1:,} at {time:.2f}\u00a0s")
            for index, time in zip(found.indices, found.times, strict=True)
        ]
        several = formatting.plural(len(found.indices), "frame")
        self.said = f"{several} of {found.frames:,}, {found.width} × {found.height} pixels each."


def _is_whole(text: str) -> bool:
    return not text.strip() or parse_number(text.strip(), 999_999_999) is not None


def _whole(text: str) -> int | None:
    return int(text) if text.strip() else None
