"""The page of one training job: first its history, then each new record as it arrives."""

from typing import Any, ClassVar

import reflex as rx

from orchestrator.domain import formatting
from orchestrator.domain.errors import AppError
from orchestrator.domain.live_records import HubRecord
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import METRICS, TASKS, AnswerKind
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.services.metrics.history import history
from orchestrator.services.training import lifecycle
from orchestrator.services.training.jobs import delete_job
from orchestrator.services.training.queue_position import find_position
from orchestrator.services.training.retry import retry_smaller
from orchestrator.states.jobs.detail_load import Visit, visit_job
from orchestrator.states.jobs.detail_tabs import LOG_PAGE, JobFiles, JobSystem, queue_position_line, system_batch
from orchestrator.states.jobs.device import DeviceFacts, Gauge, gauges
from orchestrator.states.jobs.list import PATH
from orchestrator.states.jobs.live_follower import TAIL, Batch, Follower, News
from orchestrator.states.jobs.metric_cards import (
    About,
    CurveLine,
    MetricCard,
    Progress,
    cards,
    curve_lines,
    progress_of_record,
    progress_of_row,
)
from orchestrator.states.jobs.new_rows import ReviewRow, review_rows
from orchestrator.states.jobs.rows import EventLine, JobHead, LogLine, job_head, notes_of
from orchestrator.states.jobs.samples import Result, Sample, chance_note, mistakes_of, result_of, samples_of, task_of
from orchestrator.states.shared.address_filters import read_filter, write_filters
from orchestrator.states.shared.guards import run_as_user, signed_in, toast_for
from orchestrator.states.shared.live import batches, listening
from orchestrator.states.shared.record_page import RecordPage

POINTS = 1000
"""Points per curve at most: more than a screen has columns."""
OVERVIEW_SERIES = ("loss", "eval_loss", *METRICS)
"""The series of the overview tab; the others are read when their tab is opened."""
SMALL_CHART_POINTS = 400
QUEUE_POLL_S = 4.0
"""How often the page of a waiting job reads its queue position."""
TABS = {
    "overview": "Overview",
    "metrics": "Metrics",
    "samples": "Samples",
    "logs": "Logs",
    "system": "System",
    "settings": "Settings",
    "timeline": "Timeline",
    "files": "Files",
}


class JobDetailState(RecordPage, JobSystem, JobFiles, rx.State):
    """What one job's page shows. Curves are sent once as history, then point by point."""

    PATH: ClassVar[str] = PATH

    tab: str = "overview"
    head: JobHead = JobHead()
    progress: Progress = Progress()
    cards: list[MetricCard] = []
    history: dict[str, list[list[float]]] = {}
    points: Batch = Batch()
    tail: list[LogLine] = []
    curves: list[CurveLine] = []
    """The charts of the metrics tab."""
    events: list[EventLine] = []
    settings: list[ReviewRow] = []
    notes: list[str] = []
    """The trainer's notes: features came from the cache, the batch was reduced after an out-of-memory error."""
    result: Result = Result()
    samples: list[Sample] = []
    chance_note: str = ""
    """What the untrained model reaches, said once for all samples."""
    searches: bool = False
    """The samples are queries with the clips found for them."""
    adapter_size: str = ""
    version_id: int = 0
    version: str = ""
    load_code: str = ""
    total_steps: int = 0
    device: DeviceFacts = DeviceFacts()
    device_load: list[Gauge] = []
    """What an active run takes of its device now."""
    stopping: bool = False
    deleting: bool = False
    """The question whether to delete it is open."""
    _follower: Follower = Follower()
    _about: About = About()
    _hidden: bool = False
    """This tab of the browser is in the background."""

    @rx.var
    def page_title(self) -> str:
        """The browser tab's title, the status first."""
        if self.missing:
            return "No such job - Loreel"
        if not self.head.id:
            return "Training job - Loreel"
        running = self.head.status == "running"
        state = f"{self.progress.percent}{formatting.NARROW}%" if running else self.head.status.capitalize()
        return f"{state} - job {self.head.id} - Loreel"

    @rx.var
    def losses(self) -> list[EventLine]:
        """The events that ended its attempts, oldest first."""
        return [event for event in reversed(self.events) if event.kind in ("lost", "suspended", "failed")]

    @rx.var
    def stop_note(self) -> str:
        """How far stopping it is."""
        message = next((event.message for event in self.events if event.kind == "stopping"), "")
        return message or "Asked to stop."

    @rx.event
    @signed_in
    async def load(self):
        """on_load: clears the page unless it shows this job already (a reconnect), and opens the tab of the address."""
        if self.record_id != self._id():
            await self._reset_page()
        self.tab = read_filter(self, "tab", TABS) or "overview"
        events = await self._refresh()
        opened = None if self.missing or self.problem else await self._open_tab()
        shown = events if isinstance(events, list) else [events]
        return [event for event in (*shown, opened) if event]

    @rx.event(background=True)
    @signed_in
    async def watch(self):
        """Fills the curves, then follows the run until the page is left."""
        async with self:
            job_id, active = self.head.id, self.head.active
        if not active:
            await self._fill(job_id)
            return
        async with listening(job_id) as subscription:
            await self._fill(job_id)
            visible = lambda: not self._hidden  # noqa: E731
            async for records in batches(subscription, idle_s=QUEUE_POLL_S, visible=visible, eager=True):
                if records:
                    await self._apply_records(job_id, records)
                else:
                    await self._refresh_queue_position(job_id)

    @rx.event
    @signed_in
    async def set_visible(self, visible: bool):
        """The browser tab was hidden or is visible again."""
        self._hidden = not visible

    @rx.event(background=True)
    @signed_in
    async def refill(self, _last_seen: int = 0):
        """Sends the whole history again: a chart has found a gap, or was just mounted."""
        async with self:
            job_id = self.head.id
        if job_id:
            await self._fill(job_id)

    @rx.event
    @signed_in
    async def show_tab(self, tab: str):
        """Opens a tab, reads what it shows, and names it in the address."""
        self.tab = tab if tab in TABS else "overview"
        event = await self._open_tab()
        refill = JobDetailState.refill if self.tab in ("overview", "metrics") else None
        return [self._write_tab(), *[one for one in (event, refill) if one]]

    async def _open_tab(self) -> Any:
        if self.tab == "logs":
            await self._read_log(before=None)
        if self.tab == "files":
            await self._read_files(self.head.id)
        return JobDetailState.read_system if self.tab == "system" else None

    def _write_tab(self) -> rx.event.EventSpec:
        return write_filters(f"{PATH}/{self.head.id}", tab="" if self.tab == "overview" else self.tab)

    @rx.event
    @signed_in
    async def stop(self):
        """Asks the run to end."""
        self.stopping = True
        yield
        try:
            await run_as_user(self, lifecycle.request_stop, self.head.id)
        except AppError as error:
            yield toast_for(error)
        finally:
            self.stopping = False
        await self._refresh()

    @rx.event
    @signed_in
    async def resume(self):
        """Queues the job again; it continues from its last checkpoint."""
        await run_as_user(self, lifecycle.resume_job, self.head.id)
        return await self._refresh()

    @rx.event
    @signed_in
    async def retry_smaller(self):
        """Launches a copy with half the batch and twice the accumulation steps."""
        row = await run_as_user(self, retry_smaller, self.head.id)
        return rx.redirect(f"{PATH}/{row.id}")

    @rx.event
    @signed_in
    async def show_delete(self, opened: bool):
        """Opens or closes the question whether to delete the job."""
        self.deleting = opened

    @rx.event
    @signed_in
    async def delete(self):
        """Deletes the job with its curves and log."""
        name, self.deleting = self.head.name, False
        await run_as_user(self, delete_job, self.head.id)
        self.reset()
        return [rx.toast.success(f"{name} is deleted."), rx.redirect(PATH)]

    async def _read(self, *query: Any) -> Visit:
        return await run_as_user(self, visit_job, *query)

    def _events_after_refresh(self) -> list[Any]:
        failed = self.head.status == "failed"
        return [JobDetailState.watch, *([JobDetailState.read_system] if failed else [])]

    def _show(self, visit: Visit) -> None:
        row = visit.row
        self._about = About(row)
        self.head, self.progress = job_head(row, visit.memory_at_end, visit.contrasts), progress_of_row(row)
        self.events, self.result = visit.events, result_of(row.summary)
        self.searches = TASKS[task_of(row.summary)].answer is AnswerKind.CLIPS
        self.samples, self.mistakes = samples_of(row.summary), mistakes_of(row.summary)
        self.chance_note, self.notes = chance_note(row.summary), notes_of(row.summary)
        self.tail = visit.tail
        self.device, self.device_load = visit.device, list(visit.load)
        self.adapter_size = formatting.size(visit.adapter_bytes) if visit.adapter_bytes else ""
        self.version_id, self.version = visit.version_id, visit.version
        self.load_code = visit.load_code
        self.settings = review_rows(
            f"{row.dataset_name}, version {row.dataset_version}",
            row.model_name,
            Recipe.model_validate(row.recipe),
            visit.clips,
        )
        self.cards = self._metric_cards(self._follower)
        self.total_steps = row.total_steps
        self.queue_position = visit.queue_position
        self.curves = curve_lines(row.summary, task_of(row.summary))

    def _metric_cards(self, follower: Follower) -> list[MetricCard]:
        about = self._about
        return cards(follower.tally, about.recipe, task_of(about.summary), about.summary.problem_type)

    async def _fill(self, job_id: int) -> None:
        """Sends the whole history, from a background event; records that arrive meanwhile are sent again."""
        async with self:
            small = self.tab == "metrics"
        points, series = (SMALL_CHART_POINTS, ()) if small else (POINTS, OVERVIEW_SERIES)
        curves = await run_as_user(self, history, job_id, points=points, series=series)
        follower = Follower(seq=curves.last_seq)
        async with self:
            follower.tally.latest.update(self._about.summary.latest)
        follower.tally.fill(curves.series)
        async with self:
            if self.head.id != job_id:
                return
            self._follower, self.history = follower, curves.series
            self.cards = self._metric_cards(follower)

    async def _apply_records(self, job_id: int, records: list[HubRecord]) -> None:
        """Applies one batch: new points, figures, log lines; after a changed status the job is read again."""
        async with self:
            if self.head.id != job_id:
                return
            news = self._follower.take(records)
            if not news.gap:
                self._publish(news)
        if news.gap:
            await self._fill(job_id)
            async with self:
                self._publish(News(logs=news.logs, progress=news.progress))
        if news.status_changed:
            visit = await run_as_user(self, visit_job, job_id)
            async with self:
                if self.head.id == job_id:
                    self._show(visit)
            if visit.row.status not in ACTIVE:
                await self._fill(job_id)

    def _publish(self, news: News) -> None:
        """Sets the vars that one batch changes."""
        if news.points:
            self.points = self._follower.batch(news.points)
            self.cards = self._metric_cards(self._follower)
        if news.logs:
            self.tail = [*self.tail, *news.logs][-TAIL:]
            if self.tab == "logs":
                self.lines = [*self.lines, *filter(self._fits_log, news.logs)][-LOG_PAGE * 5 :]
        if news.system and self.tab == "system":
            self.system = system_batch(news.system)
        if news.system and self.tab == "overview":
            self.device_load = gauges(self.device, news.system[-1]["values"])
        about = self._about
        if news.progress and about.known:
            self.progress = progress_of_record(news.progress, about, self._follower.seconds_left(news.progress))

    async def _refresh_queue_position(self, job_id: int) -> None:
        """The job's own records say nothing about other jobs that come and go in the queue."""
        async with self:
            waiting = self.head.id == job_id and self.head.status == "queued"
        if waiting:
            line = queue_position_line(await run_as_user(self, find_position, job_id))
            async with self:
                if self.head.id == job_id and self.queue_position != line:
                    self.queue_position = line

    def _job_id(self) -> int:
        return self.head.id
