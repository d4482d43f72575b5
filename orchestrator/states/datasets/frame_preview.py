"""The frame preview in a clip's dialog: which frames a model receives with given settings, and their pixels."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import parse_number
from orchestrator.domain.tasks import TASKS
from orchestrator.services.datasets.catalog import get_dataset
from orchestrator.services.datasets.media.frame_preview import (
    RENDERINGS,
    FramePreview,
    FrameSettings,
    plan_frame_preview,
    render_frame_preview,
)
from orchestrator.services.models.catalog import list_models
from orchestrator.states.datasets.clips import DatasetClipsState
from orchestrator.states.datasets.detail import DatasetDetailState, part_of_page
from orchestrator.states.shared.guards import current_user, run_as_user, signed_in

MAX_MODELS = 100
RESULT_ID = "frame-preview-result"
"""The element with the frames, or with the reason why there are none."""
_SCROLL_TO_RESULT = (
    "setTimeout(() => { const result = document.getElementById('" + RESULT_ID + "'); if (!result) return;"
    " const show = () => result.scrollIntoView({block: 'nearest'}), image = result.querySelector('img'); show();"
    " if (image && !image.complete) image.addEventListener('load', show, {once: true}); }, 60)"
)
"""The result is below the settings, where it may not be visible in a low dialog."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A frame on the timeline; `left` in percent of the clip."""

    left: float
    text: str


@part_of_page
class FramePreviewState(rx.State):
    """Drawn on demand; cleared when another clip is opened."""

    clip_id: int = 0
    """The clip that this is about; the dialog may show another one by now."""
    models: list[dict[str, str]] = []
    model: str = ""
    frames: str = ""
    size: str = ""
    drawing: bool = False
    image: str = ""
    caption: str = ""
    marks: list[Mark] = []
    problem: str = ""
    problem_field: str = ""
    """The field with the problem: model, frames or size; "" where it is none of these."""

    @rx.event
    @signed_in
    async def start(self):
        """Opens the preview with the models that are ready."""
        clips = await self.get_state(DatasetClipsState)
        page = await self.get_state(DatasetDetailState)
        task = (await run_as_user(self, get_dataset, page._id())).task
        listed = await run_as_user(self, list_models, model_type=TASKS[task].model_type, limit=MAX_MODELS)
        ready = [row for row in listed.items if row.status in ("ready", "in_use")]
        self.models = [{"value": str(row.id), "label": row.name, "hint": row.architecture} for row in ready]
        known = {choice["value"] for choice in self.models}
        self.model = self.model if self.model in known else next(iter(sorted(known, key=int)), "")
        self.image, self.marks, self.caption = "", [], ""
        self.problem = self.problem_field = ""
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
        self.problem, self.problem_field = self._form_problem()
        if not self.problem:
            settings = FrameSettings(_number(self.frames), _number(self.size))
            self.drawing = True
            yield
            try:
                plan = await run_as_user(self, plan_frame_preview, self.clip_id, int(self.model), settings)
                user = await current_user(self)
                preview = await RENDERINGS.run(user.user_id, partial(render_frame_preview, plan))
            except AppError as error:
                self.problem, self.problem_field = error.message, error.field
                self.image, self.marks = "", []
            else:
                self._show(preview, settings)
            self.drawing = False
        yield rx.call_script(_SCROLL_TO_RESULT)

    def _form_problem(self) -> tuple[str, str]:
        """What is wrong with the form and in which field; ("", "") where nothing is."""
        if not self.model or not self.clip_id:
            return "Choose a model that is ready.", "model"
        wrong = next((name for name in ("frames", "size") if not _is_number_or_empty(getattr(self, name))), "")
        if wrong:
            return "Frames and frame size are whole numbers; leave them empty for the model's own values.", wrong
        return "", ""

    def _show(self, preview: FramePreview, settings: FrameSettings) -> None:
        values = {"frames": settings.frames, "size": settings.size}
        query = {"model_id": self.model} | {name: value for name, value in values.items() if value}
        self.image = f"/api/v1/clips/{self.clip_id}/seen.png?{urlencode(query)}"
        last = max(1, preview.frames - 1)
        self.marks = [
            Mark(100 * index / last, f"Frame {index + 1:,} at {time:.2f}\u00a0s")
            for index, time in zip(preview.indices, preview.times, strict=True)
        ]
        frames = formatting.plural(len(preview.indices), "frame")
        self.caption = f"{frames} of {preview.frames:,}, {preview.width} × {preview.height} pixels each."


def _is_number_or_empty(text: str) -> bool:
    return not text.strip() or parse_number(text.strip(), 999_999_999) is not None


def _number(text: str) -> int | None:
    return int(text) if text.strip() else None
