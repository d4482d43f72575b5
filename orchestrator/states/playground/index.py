"""The playground: a base model, an adapter, a clip or a search, and both models' answers as the worker sends them."""

import time
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.annotations import CAPTION_QUESTION
from orchestrator.domain.errors import AppError
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.playground import InferenceRequest
from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.domain.users import Milestone
from orchestrator.services.datasets.catalog import list_clips
from orchestrator.services.datasets.media.clips import get_clip
from orchestrator.services.milestones import reach
from orchestrator.services.playground import queue, scratch
from orchestrator.services.playground.choices import AdapterChoice, BaseChoice, Choices, choices
from orchestrator.services.playground.questions import check_request, unavailable_reason
from orchestrator.states.datasets.rows import ClipTile, clip_tile
from orchestrator.states.playground.history import NONE, PlaygroundPast
from orchestrator.states.playground.rows import (
    Scene,
    adapter_option,
    base_option,
    blank_panels,
    curl_of,
    dataset_option,
    openai_of,
    panel_of,
    python_of,
    sampled_of,
    stage_of,
    timing_of,
)
from orchestrator.states.playground.waiting import waiting_stage
from orchestrator.states.shared.address_filters import read_filter
from orchestrator.states.shared.guards import run_as_user, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.presentation import clock
from orchestrator.websocket.tab_tasks import ends_with_tab

PAGE_SIZE = 12
MAX_CLIPS = 96
_INTERRUPTED = "The connection was lost while this was answered. Ask again."


class PlaygroundState(PlaygroundPast, rx.State):
    """What one tab of the playground shows."""

    loaded: bool = False
    problem: str = ""
    """Why the page could not be read."""
    no_worker: bool = False
    """No worker is running that could answer."""
    bases: list[dict[str, str]] = []
    adapters: list[dict[str, str]] = []
    datasets: list[dict[str, str]] = []
    tiles: list[ClipTile] = []
    clip_limit: int = PAGE_SIZE
    more: bool = False
    _known: Choices = Choices([], [], [])

    @rx.var
    def can_ask(self) -> bool:
        """Everything that a question needs is chosen."""
        chosen = bool(self.dataset_id and self.query.strip()) if self.searches else self.scene is not None
        return bool(self.model_id) and chosen and not self.busy

    @rx.event
    @signed_in
    async def load(self):
        """on_load: reads the choices, and asks what the address describes."""
        try:
            self._known = await run_as_user(self, choices)
        except AppError as error:
            self.problem, self.loaded = error.message, True
            return None
        self.problem, self.loaded = "", True
        self.bases = [base_option(base) for base in self._known.bases]
        self.datasets = [dataset_option(dataset) for dataset in self._known.datasets]
        self.no_worker = not await queue.keep_answering_ready()
        model, adapter = read_filter(self, "model"), read_filter(self, "adapter")
        job = "" if adapter else read_filter(self, "job")
        self._choose(model, adapter or (self._adapter_of_job(job) if job else ""))
        missing = await self._missing_choice(model, adapter, job)
        dataset, clip_id = read_filter(self, "dataset"), parse_id(read_filter(self, "clip"))
        await self._read_clips(dataset)
        if self.searches and dataset not in ("", self.dataset_id):
            missing = missing or "There is no such dataset. It may have been deleted."
        self.query = read_filter(self, "query", limit=400) or self.query
        self.prompt = read_filter(self, "prompt", limit=4_000) or self.prompt
        events = None
        if clip_id:
            try:
                events = await self._show_clip(clip_id)
            except AppError as error:
                self.answer_problem = error.message
        self.answer_problem = missing or self.answer_problem
        return None if missing else events

    @rx.event
    @signed_in
    async def choose_base(self, model_id: str):
        self._choose(model_id, "")
        return await self._chosen()

    @rx.event
    @signed_in
    async def choose_adapter(self, adapter_id: str):
        self._choose(self.model_id, adapter_id)
        return await self._chosen()

    @rx.event
    @signed_in
    async def choose_dataset(self, dataset_id: str):
        self.clip_limit = PAGE_SIZE
        if self.searches:
            self._drop_answer()  # it is of the other dataset
        await self._read_clips(dataset_id)
        return self._write_address()

    @rx.event
    @signed_in
    async def show_more(self):
        self.clip_limit = min(MAX_CLIPS, self.clip_limit + 2 * PAGE_SIZE)
        await self._read_clips(self.dataset_id)

    @rx.event
    @signed_in
    async def choose_clip(self, clip_id: int):
        """Shows a clip of the dataset, and asks at once."""
        return await self._show_clip(clip_id)

    @rx.event
    @signed_in
    async def take_dropped(self, scratch_id: str):
        """Shows a dropped clip, which the server has checked, and asks about it."""
        row = await run_as_user(self, lambda _session, actor: scratch.find_scratch(actor, scratch_id))
        address = f"/api/v1/playground/clips/{row.id}"
        facts = f"{row.width} × {row.height}, {row.frames:,} frames, {row.codec}, {formatting.size(row.size_bytes)}"
        length = clock(row.duration_s)
        self.scene = Scene(row.id, 0, row.name, f"{address}/thumbnail", f"{address}/preview", facts, length)
        return self._ask_events()

    @rx.event
    @signed_in
    async def type_prompt(self, text: str):
        self.prompt = text[:4_000]

    @rx.event
    @signed_in
    async def type_query(self, text: str):
        self.query = text[:400]

    @rx.event
    @signed_in
    async def ask(self):
        """Asks: the button, or Enter in the search."""
        return self._ask_events() if self.can_ask else None

    @rx.event
    @signed_in
    async def cancel(self):
        """Stops waiting for the answer; the worker does not begin one that nobody waits for."""
        self._drop_answer()
        return PlaygroundState.run(False)

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def run(self, asks: bool = True):
        """Asks the worker, and shows each record of the answer as it arrives.

        Args:
            asks: False only ends the run before this one, which this call supersedes.
        """
        actor = await find_actor(self) if asks else None
        if actor is None:
            return
        async with self:
            self._turn = turn = self._turn + 1
            question = self._question()
            self._asked = {"query": self.query, "prompt": self.prompt}
            self.panels = blank_panels(self._base_name(), self._adapter())
            self.busy, self.stage = True, stage_of({"stage": "waiting"})
            self.answer_problem = self.timing = self.sampled = ""
            self._write_code(question)
        started, problem = time.monotonic(), ""
        with ends_with_tab(self.router.session.client_token) as running:
            try:
                await run_as_user(self, check_request, question)
                await run_as_user(self, reach, Milestone.PLAYGROUND)
                waiting = await run_as_user(self, waiting_stage)
                async with self:
                    self.stage = waiting if turn == self._turn else self.stage
                async with aclosing(queue.ask(actor.user_id, question)) as records:
                    async for record in records:
                        async with self:
                            if turn != self._turn:
                                return  # something else was chosen or asked meanwhile
                            self._apply_record(record, time.monotonic() - started)
            except AppError as error:
                problem = error.message
            finally:
                async with self:
                    if turn == self._turn:
                        self.busy, self.stage = False, ""
                        problem = _INTERRUPTED if running.tab_closed else problem
                        if problem:
                            self.answer_problem, self.panels = problem, []

    def _choose(self, model_id: str, adapter_id: str) -> None:
        """Chooses a base and an adapter that fit; an unknown base falls back to the first one."""
        known = self._known
        adapter = next((row for row in known.adapters if str(row.id) == adapter_id), None)
        base_id = str(adapter.model_id) if adapter else model_id
        base = next((row for row in known.bases if str(row.id) == base_id), None)
        if base is None and not model_id and not adapter_id and known.adapters:
            adapter = known.adapters[0]  # without a choice: the newest adapter
            base = next((row for row in known.bases if row.id == adapter.model_id), None)
        base = base or next(iter(known.bases), None)
        if base is None:
            return
        fitting = [row for row in known.adapters if row.model_id == base.id]
        self.adapters = [{"value": NONE, "label": "No adapter"}, *map(adapter_option, fitting)]
        self.model_id, self.task, self.takes_question = str(base.id), base.task, base.takes_question
        self.adapter_id = str(adapter.id) if adapter else NONE
        self.usual_question = (adapter.question if adapter else "") or CAPTION_QUESTION
        self._drop_answer()

    async def _missing_choice(self, model_id: str, adapter_id: str, job_id: str) -> str:
        """Why what the address names could not be chosen, as a sentence; "" where it was."""
        if adapter_id and self.adapter_id != adapter_id:
            base, adapter = 0, _id_or_unknown(adapter_id)
        elif job_id and self.adapter_id == NONE:
            return "This job has no adapter that can be tried. It may have been deleted."
        elif model_id and not adapter_id and self.model_id != model_id:
            base, adapter = _id_or_unknown(model_id), 0
        else:
            return ""
        reason = await run_as_user(self, unavailable_reason, base, adapter)
        return reason or "Its base is not among your models any more. Register it again to try it here."

    def _adapter_of_job(self, job_id: str) -> str:
        """The adapter that a job made: the job's page links here by its own id."""
        return next((str(row.id) for row in self._known.adapters if str(row.job_id) == job_id), NONE)

    async def _chosen(self) -> Any:
        """Reads the clips of the dataset that was shown, unless it is for another task than the new choice."""
        shown = next((row for row in self._known.datasets if str(row.id) == self.dataset_id), None)
        fits = shown is not None and task_spec(shown.task).annotation is task_spec(self.task).annotation
        await self._read_clips(self.dataset_id if fits else "")
        return self._ask_events() if self.scene is not None and not self.searches else self._write_address()

    async def _read_clips(self, dataset_id: str) -> None:
        """Reads the clips of this dataset, else of the one that the adapter was trained on, else of one that fits."""
        datasets, adapter = self._known.datasets, self._adapter()
        fitting = [row for row in datasets if row.task == self.task] or datasets
        trained_on = [row for row in datasets if adapter is not None and row.id == adapter.dataset_id]
        named = [row for row in datasets if str(row.id) == dataset_id]
        dataset = next(iter([*named, *trained_on, *fitting]), None)
        self.dataset_id, self.tiles, self.more = "", [], False
        if dataset is None:
            return
        page = await run_as_user(self, list_clips, dataset.id, status="ok", limit=self.clip_limit)
        self.dataset_id, self.tiles = str(dataset.id), [clip_tile(row) for row in page.items]
        self.more = page.next is not None and self.clip_limit < MAX_CLIPS

    async def _show_clip(self, clip_id: int) -> Any:
        row = await run_as_user(self, get_clip, clip_id)
        tile = clip_tile(row)
        facts = f"{row.width} × {row.height}, {row.frames:,} frames, {row.codec}"
        reference = row.label or row.caption
        self.scene = Scene(
            f"clip-{row.id}", row.id, tile.short_name, tile.thumbnail, tile.preview, facts, tile.duration, reference
        )
        return None if self.searches else self._ask_events()

    def _ask_events(self) -> list[Any]:
        return [self._write_address(), PlaygroundState.run(True)]

    def _question(self) -> InferenceRequest:
        adapter = self._adapter()
        scene = None if self.searches else self.scene
        return InferenceRequest(
            model_id=int(self.model_id) if self.model_id and adapter is None else None,
            adapter_id=adapter.id if adapter else None,
            clip_id=scene.clip_id or None if scene else None,
            scratch_id=scene.key if scene and not scene.clip_id else "",
            dataset_id=int(self.dataset_id) if self.searches and self.dataset_id else None,
            query=self.query.strip() if self.searches else "",
            prompt=self.prompt.strip() if self.takes_question else "",
            stream=task_spec(self.task).answer is AnswerKind.TEXT,
        )

    def _apply_record(self, record: dict[str, Any], waited_s: float) -> None:
        if "problem" in record:
            self.answer_problem, self.panels = str(record["problem"]), []
        elif "text" in record:
            text = str(record["text"])
            self.panels = [
                replace(panel, text=panel.text + text) if panel.who == record["who"] else panel for panel in self.panels
            ]
        elif "done" in record:
            self._show(record["done"], waited_s)
        elif stage := stage_of(record):
            self.stage = stage

    def _show(self, answer: dict[str, Any], waited_s: float) -> None:
        answers = {part["who"]: part for part in answer["answers"]}
        self.panels = [
            panel_of(panel, answers[panel.who], answer) if panel.who in answers else panel for panel in self.panels
        ]
        self.timing, self.sampled = timing_of(answer, waited_s), sampled_of(answer)
        self._store_answer()

    def _write_code(self, question: InferenceRequest) -> None:
        """The question as commands and programs that can be copied."""
        names = ("model_id", "adapter_id", "clip_id", "dataset_id", "query", "prompt")
        body = {name: value for name in names if (value := getattr(question, name))}
        dropped = self.scene.name if question.scratch_id and self.scene else ""
        if dropped:
            body["scratch_id"] = "$SCRATCH"
        url = self.router.url
        origin = f"{url.scheme}://{url.netloc}"
        self.curl, self.python = curl_of(origin, body, dropped), python_of(origin, body, dropped)
        writes = task_spec(self.task).answer is AnswerKind.TEXT and (dropped or "clip_id" in body)
        self.openai = openai_of(origin, body, self.usual_question, dropped) if writes else ""

    def _adapter(self) -> AdapterChoice | None:
        return next((row for row in self._known.adapters if str(row.id) == self.adapter_id), None)

    def _base_name(self) -> str:
        base: BaseChoice | None = next((row for row in self._known.bases if str(row.id) == self.model_id), None)
        return base.name if base else ""


def _id_or_unknown(text: str) -> int:
    """An id of the address; -1, which no row has, where it is none (0 means "not asked for")."""
    return parse_id(text) or -1
