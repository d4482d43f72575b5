"""The playground: a base, an adapter, a clip or a sentence, and what both say, live from the worker."""

import time
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotSignedIn
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.playground import InferenceRequest
from orchestrator.domain.tasks import AnswerKind, task_spec
from orchestrator.services.datasets.catalog import list_clips
from orchestrator.services.datasets.media.clips import get_clip
from orchestrator.services.playground import queue as box
from orchestrator.services.playground import scratch
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
    panel_of,
    sampled_of,
    stage_of,
    timing_of,
)
from orchestrator.states.shared import formatting
from orchestrator.states.shared.address_filters import filter_of
from orchestrator.states.shared.guards import act, signed_in
from orchestrator.states.shared.identity import find_actor
from orchestrator.states.shared.presentation import clock
from orchestrator.websocket.tab_tasks import ends_with_tab

PAGE = 12
MOST = 96
_BROKEN_OFF = "The connection broke off while this was answered. Ask again."


class PlaygroundState(PlaygroundPast, rx.State):
    """What one tab of the playground shows."""

    loaded: bool = False
    failed: str = ""
    nobody: bool = False
    """No worker is there to answer."""
    bases: list[dict[str, str]] = []
    adapters: list[dict[str, str]] = []
    datasets: list[dict[str, str]] = []
    tiles: list[ClipTile] = []
    shown: int = PAGE
    more: bool = False
    _known: Choices = Choices([], [], [])

    @rx.var
    def ready(self) -> bool:
        """Everything that a question needs is chosen."""
        chosen = bool(self.dataset_id and self.query.strip()) if self.searches else self.scene is not None
        return bool(self.model_id) and chosen and not self.busy

    @rx.event
    @signed_in
    async def load(self):
        """on_load: what may be chosen, and what the address asks for."""
        try:
            self._known = await act(self, choices)
        except NotSignedIn:
            raise
        except AppError as error:
            self.failed, self.loaded = error.message, True
            return None
        self.failed, self.loaded = "", True
        self.bases = [base_option(base) for base in self._known.bases]
        self.datasets = [dataset_option(dataset) for dataset in self._known.datasets]
        self.nobody = not await box.keep_answering_ready()
        model, adapter = filter_of(self, "model"), filter_of(self, "adapter")
        job = "" if adapter else filter_of(self, "job")
        self._choose(model, adapter or (self._of_job(job) if job else ""))
        lost = await self._lost(model, adapter, job)
        dataset, wanted = filter_of(self, "dataset"), filter_of(self, "clip")
        await self._read_clips(dataset)
        if self.searches and dataset not in ("", self.dataset_id):
            lost = lost or "There is no such dataset. It may have been deleted."
        self.query = filter_of(self, "query", limit=400) or self.query
        self.prompt = filter_of(self, "prompt", limit=4_000) or self.prompt
        asks = None
        if clip_id := parse_id(wanted):
            try:
                asks = await self._show_clip(clip_id)
            except NotSignedIn:
                raise
            except AppError as error:
                self.problem = error.message
        self.problem = lost or self.problem
        return None if lost else asks

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
        self.shown = PAGE
        if self.searches:
            self._drop_answer()  # it is of the other dataset
        await self._read_clips(dataset_id)
        return self._remember()

    @rx.event
    @signed_in
    async def show_more(self):
        self.shown = min(MOST, self.shown + 2 * PAGE)
        await self._read_clips(self.dataset_id)

    @rx.event
    @signed_in
    async def choose_clip(self, clip_id: int):
        """Shows a clip of the dataset, and asks at once."""
        return await self._show_clip(clip_id)

    @rx.event
    @signed_in
    async def take_dropped(self, scratch_id: str):
        """A clip that was dropped and looked over."""
        row = await act(self, lambda _session, actor: scratch.find_scratch(actor, scratch_id))
        address = f"/api/v1/playground/clips/{row.id}"
        facts = f"{row.width} × {row.height}, {row.frames:,} frames, {row.codec}, {formatting.size(row.size_bytes)}"
        lasts = clock(row.duration_s)
        self.scene = Scene(row.id, 0, row.name, f"{address}/thumbnail", f"{address}/preview", facts, lasts)
        return self._asks()

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
        """The button, or Enter in the search."""
        return self._asks() if self.ready else None

    @rx.event(background=True, supersedes=True)
    @signed_in
    async def run(self):
        """Asks the worker; each record of the answer is shown as it comes."""
        actor = await find_actor(self)
        if actor is None:
            return
        async with self:
            self._turn = turn = self._turn + 1
            wish = self._wish()
            self._asked = {"query": self.query, "prompt": self.prompt}
            self.panels = blank_panels(self._base_name(), self._adapter())
            self.busy, self.stage, self.problem, self.timing, self.sampled = (
                True,
                stage_of({"stage": "waiting"}),
                "",
                "",
                "",
            )
            self.curl = self._curl(wish)
        began, problem = time.monotonic(), ""
        with ends_with_tab(self.router.session.client_token) as running:
            try:
                await act(self, check_request, wish)
                async with aclosing(box.ask(actor.user_id, wish)) as records:
                    async for record in records:
                        async with self:
                            if turn != self._turn:
                                return  # something else was chosen or asked meanwhile
                            self._hear(record, time.monotonic() - began)
            except NotSignedIn:
                raise
            except AppError as error:
                problem = error.message
            finally:
                async with self:
                    if turn == self._turn:
                        self.busy, self.stage = False, ""
                        problem = _BROKEN_OFF if running.tab_closed else problem
                        if problem:
                            self.problem, self.panels = problem, []

    def _choose(self, model_id: str, adapter_id: str) -> None:
        """Base and adapter that belong together; an unknown one falls back to the first."""
        known = self._known
        adapter = next((one for one in known.adapters if str(one.id) == adapter_id), None)
        wanted = str(adapter.model_id) if adapter else model_id
        base = next((one for one in known.bases if str(one.id) == wanted), None)
        if base is None and not model_id and not adapter_id and known.adapters:
            adapter = known.adapters[0]  # whoever comes without a wish sees their newest adapter
            base = next((one for one in known.bases if one.id == adapter.model_id), None)
        base = base or next(iter(known.bases), None)
        if base is None:
            return
        same = [one for one in known.adapters if one.model_id == base.id]
        self.adapters = [{"value": NONE, "label": "No adapter"}, *(adapter_option(one) for one in same)]
        self.model_id, self.task, self.takes_question = str(base.id), base.task, base.takes_question
        self.adapter_id = str(adapter.id) if adapter else NONE
        self._drop_answer()

    async def _lost(self, model_id: str, adapter_id: str, job_id: str) -> str:
        """Why what the address names is not what was chosen instead, as a sentence; "" where it is."""
        if adapter_id and self.adapter_id != adapter_id:
            base, adapter = 0, _number(adapter_id)
        elif job_id and self.adapter_id == NONE:
            return "This job has no adapter that can be tried. It may have been deleted."
        elif model_id and not adapter_id and self.model_id != model_id:
            base, adapter = _number(model_id), 0
        else:
            return ""
        why = await act(self, unavailable_reason, base, adapter)
        return why or "Its base is not among your models any more. Register it again to try it here."

    def _of_job(self, job_id: str) -> str:
        """The adapter that a job made: its page links here by its own number."""
        return next((str(one.id) for one in self._known.adapters if str(one.job_id) == job_id), NONE)

    async def _chosen(self) -> Any:
        """Clips of the dataset that was shown, unless it is of another task than what was chosen."""
        shown = next((one for one in self._known.datasets if str(one.id) == self.dataset_id), None)
        fits = shown is not None and task_spec(shown.task).annotation is task_spec(self.task).annotation
        await self._read_clips(self.dataset_id if fits else "")
        return self._asks() if self.scene is not None and not self.searches else self._remember()

    async def _read_clips(self, wanted: str) -> None:
        """The clips of the wanted dataset, else of the one the adapter learned from, else of one that fits."""
        known, adapter = self._known.datasets, self._adapter()
        fitting = [one for one in known if one.task == self.task] or known
        mine = [one for one in known if adapter is not None and one.id == adapter.dataset_id]
        named = [one for one in known if str(one.id) == wanted]
        chosen = next(iter([*named, *mine, *fitting]), None)
        self.dataset_id, self.tiles, self.more = "", [], False
        if chosen is None:
            return
        page = await act(self, list_clips, chosen.id, status="ok", limit=self.shown)
        self.dataset_id, self.tiles = str(chosen.id), [clip_tile(row) for row in page.items]
        self.more = page.next is not None and self.shown < MOST

    async def _show_clip(self, clip_id: int) -> Any:
        row = await act(self, get_clip, clip_id)
        tile = clip_tile(row)
        facts = f"{row.width} × {row.height}, {row.frames:,} frames, {row.codec}"
        said = row.label or row.caption
        self.scene = Scene(
            f"clip-{row.id}", row.id, tile.short_name, tile.thumbnail, tile.preview, facts, tile.lasts, said
        )
        return None if self.searches else self._asks()

    def _asks(self) -> list[Any]:
        return [self._remember(), PlaygroundState.run]

    def _wish(self) -> InferenceRequest:
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

    def _hear(self, record: dict[str, Any], waited_s: float) -> None:
        if "problem" in record:
            self.problem, self.panels = str(record["problem"]), []
        elif "text" in record:
            said = str(record["text"])
            self.panels = [
                replace(panel, text=panel.text + said) if panel.who == record["who"] else panel for panel in self.panels
            ]
        elif "done" in record:
            self._show(record["done"], waited_s)
        elif stage := stage_of(record):
            self.stage = stage

    def _show(self, answer: dict[str, Any], waited_s: float) -> None:
        said = {one["who"]: one for one in answer["answers"]}
        self.panels = [
            panel_of(panel, said[panel.who], answer) if panel.who in said else panel for panel in self.panels
        ]
        self.timing, self.sampled = timing_of(answer, waited_s), sampled_of(answer)
        self._keep()

    def _curl(self, wish: InferenceRequest) -> str:
        names = ("model_id", "adapter_id", "clip_id", "dataset_id", "query", "prompt")
        body = {name: value for name in names if (value := getattr(wish, name))}
        dropped = self.scene.name if wish.scratch_id and self.scene else ""
        if dropped:
            body["scratch_id"] = "$SCRATCH"
        url = self.router.url
        return curl_of(f"{url.scheme}://{url.netloc}", body, dropped)

    def _adapter(self) -> AdapterChoice | None:
        return next((one for one in self._known.adapters if str(one.id) == self.adapter_id), None)

    def _base_name(self) -> str:
        found: BaseChoice | None = next((one for one in self._known.bases if str(one.id) == self.model_id), None)
        return found.name if found else ""


def _number(text: str) -> int:
    """An id of the address; -1, which nothing has, for one that is none."""
    return parse_id(text) or -1
