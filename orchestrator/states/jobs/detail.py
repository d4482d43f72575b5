"""The page of one training job: its history first, then every new record as it comes."""

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound
from orchestrator.domain.live_records import HubRecord
from orchestrator.domain.numbers import parse_id
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.tasks import METRICS, TASKS, AnswerKind
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.services.metrics.history import history
from orchestrator.services.training import lifecycle
from orchestrator.services.training.jobs import delete_job
from orchestrator.services.training.queue_position import find_position
from orchestrator.services.training.retry import retry_smaller
from orchestrator.states.jobs.detail_load import Visit, visit_job
from orchestrator.states.jobs.detail_tabs import LOG_PAGE, JobFiles, JobSystem, place_line, system_batch
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
from orchestrator.states.jobs.samples import Result, Sample, mistakes_of, result_of, samples_of, task_of
from orchestrator.states.shared import formatting
from orchestrator.states.shared.guards import act, said, signed_in
from orchestrator.states.shared.live import listening, sips

POINTS = 1000
"""Points of each curve at most: more than a screen has columns."""
FIRST = ("loss", "eval_loss", *METRICS)
"""What the first chart draws and the figures beside it tell; the others come when their tab is opened."""
SMALL_POINTS = 400
LOOK_S = 4.0
"""How often a waiting job asks for its place."""
TABS = ("overview", "metrics", "samples", "logs", "system", "settings", "timeline", "files")


class JobDetail(JobSystem, JobFiles, rx.State):
    """One job as this tab shows it. Curves travel once as history, then point by point."""

    ready: bool = False
    missing: str = ""
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
    """What the run said of itself: features from the cache, a smaller batch after the memory ran out."""
    result: Result = Result()
    samples: list[Sample] = []
    searches: bool = False
    """True where the samples are sentences and the clips found for them."""
    adapter_size: str = ""
    version_id: int = 0
    version: str = ""
    load_code: str = ""
    total_steps: int = 0
    stopping: bool = False
    _follower: Follower = Follower()
    _about: About = About()
    _unseen: bool = False
    """True while this tab of the browser is hidden."""

    @rx.var
    def page_title(self) -> str:
        """What the tab of the browser says: the state first."""
        if self.missing:
            return "No such job - Loreel"
        if not self.head.id:
            return "Training job - Loreel"
        running = self.head.status == "running"
        state = f"{self.progress.percent}{formatting.NARROW}%" if running else self.head.status.capitalize()
        return f"{state} - job {self.head.id} - Loreel"

    @rx.var
    def losses(self) -> list[EventLine]:
        """What took its attempts from it, oldest first."""
        return [event for event in reversed(self.events) if event.kind in ("lost", "suspended", "failed")]

    @rx.var
    def stop_note(self) -> str:
        """Which step of stopping it is in."""
        told = next((event.message for event in self.events if event.kind == "stopping"), "")
        return told or "Asked to stop."

    @rx.event
    @signed_in
    async def load(self):
        """Opens the job of the address, or says that there is none."""
        number = str(self.router.url.path).rstrip("/").rpartition("/")[2]
        wanted = parse_id(number)
        if wanted != self.head.id:
            self._forget()
        try:
            visit = await act(self, visit_job, wanted)
        except NotFound as error:
            self._forget()
            self.missing, self.ready = error.message, True
            return None
        self.missing = ""
        self._show(visit)
        self.ready = True
        return [JobDetail.watch, JobDetail.read_system] if self.head.status == "failed" else JobDetail.watch

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
            async for records in sips(subscription, idle_s=LOOK_S, seen=lambda: not self._unseen, eager=True):
                if records:
                    await self._drink(job_id, records)
                else:
                    await self._look_at_place(job_id)

    @rx.event
    @signed_in
    async def look(self, seen: bool):
        """The tab was hidden, or is looked at again."""
        self._unseen = not seen

    @rx.event(background=True)
    @signed_in
    async def refill(self, _last_seen: int = 0):
        """The whole history anew: a chart saw a gap, or has just been put on the page."""
        async with self:
            job_id = self.head.id
        if job_id:
            await self._fill(job_id)

    @rx.event
    @signed_in
    async def show_tab(self, tab: str):
        """Opens a tab: a chart that comes back gets its history anew, the log is read when it is looked at."""
        self.tab = tab if tab in TABS else "overview"
        if self.tab == "logs":
            await self._read_log(before=None)
        if self.tab == "files":
            await self._read_files(self.head.id)
        if self.tab == "system":
            return JobDetail.read_system
        return JobDetail.refill if self.tab in ("overview", "metrics") else None

    @rx.event
    @signed_in
    async def stop(self):
        """Asks the run to end after the step it is in."""
        self.stopping = True
        yield
        try:
            await act(self, lifecycle.request_stop, self.head.id)
        except AppError as error:
            yield said(error)
        finally:
            self.stopping = False
        self._show(await act(self, visit_job, self.head.id))

    @rx.event
    @signed_in
    async def resume(self):
        """Queues the job again; it goes on from its last checkpoint."""
        try:
            await act(self, lifecycle.resume_job, self.head.id)
        except AppError as error:
            return said(error)
        self._show(await act(self, visit_job, self.head.id))
        return JobDetail.watch

    @rx.event
    @signed_in
    async def retry_smaller(self):
        """Launches it once more with a smaller batch, accumulated for longer."""
        row = await act(self, retry_smaller, self.head.id)
        return rx.redirect(f"/jobs/{row.id}")

    @rx.event
    @signed_in
    async def delete(self):
        """Deletes the job with its curves, log and adapter."""
        name = self.head.name
        await act(self, delete_job, self.head.id)
        self._forget()
        return [rx.toast.success(f"{name} is deleted."), rx.redirect("/jobs")]

    def _forget(self) -> None:
        self.reset()

    def _show(self, visit: Visit) -> None:
        row = visit.row
        self._about = About(row)
        self.head, self.progress = job_head(row, visit.memory_at_end, visit.contrasts), progress_of_row(row)
        self.events, self.result = visit.events, result_of(row.summary)
        self.searches = TASKS[task_of(row.summary)].answer is AnswerKind.CLIPS
        self.samples, self.mistakes = samples_of(row.summary), mistakes_of(row.summary)
        self.notes = notes_of(row.summary)
        self.tail = visit.tail
        self.adapter_size = formatting.size(visit.adapter_bytes) if visit.adapter_bytes else ""
        self.version_id, self.version = visit.version_id, visit.version
        self.load_code = visit.load_code
        self.settings = review_rows(
            f"{row.dataset_name}, version {row.dataset_version}",
            row.model_name,
            Recipe.model_validate(row.recipe),
            visit.clips,
        )
        self.cards = self._figures(self._follower)
        self.total_steps = row.total_steps
        self.place = visit.place
        self.curves = curve_lines(row.summary, task_of(row.summary))

    def _figures(self, follower: Follower) -> list[MetricCard]:
        about = self._about
        return cards(follower.tally, about.recipe, task_of(about.summary))

    async def _fill(self, job_id: int) -> None:
        """The whole history, from a background event; what came meanwhile is told again, never lost."""
        async with self:
            whole = self.tab == "metrics"
        found = await act(
            self, history, job_id, points=SMALL_POINTS if whole else POINTS, series=() if whole else FIRST
        )
        follower = Follower(seq=found.last_seq)
        async with self:
            follower.tally.latest.update(self._about.summary.latest)
        follower.tally.fill(found.series)
        async with self:
            if self.head.id != job_id:
                return
            self._follower, self.history = follower, found.series
            self.cards = self._figures(follower)

    async def _drink(self, job_id: int, records: list[HubRecord]) -> None:
        """One group of records: new points, figures, log lines; a changed status reads the job anew."""
        async with self:
            if self.head.id != job_id:
                return
            news = self._follower.take(records)
            if not news.gap:
                self._tell(news)
        if news.gap:
            await self._fill(job_id)
            async with self:
                self._tell(News(logs=news.logs, progress=news.progress))
        if news.status_changed:
            visit = await act(self, visit_job, job_id)
            async with self:
                if self.head.id == job_id:
                    self._show(visit)
            if visit.row.status not in ACTIVE:
                await self._fill(job_id)

    def _tell(self, news: News) -> None:
        if news.points:
            self.points = self._follower.batch(news.points)
            self.cards = self._figures(self._follower)
        if news.logs:
            self.tail = [*self.tail, *news.logs][-TAIL:]
            if self.tab == "logs":
                self.lines = [*self.lines, *filter(self._fits_log, news.logs)][-LOG_PAGE * 5 :]
        if news.system and self.tab == "system":
            self.system = system_batch(news.system)
        about = self._about
        if news.progress and about.known:
            self.progress = progress_of_record(news.progress, about.epochs, about.started_at)

    async def _look_at_place(self, job_id: int) -> None:
        """Others come and go while a job waits; its own stream says nothing of it."""
        async with self:
            waiting = self.head.id == job_id and self.head.status == "queued"
        if waiting:
            line = place_line(await act(self, find_position, job_id))
            async with self:
                if self.head.id == job_id and self.place != line:
                    self.place = line

    def _job_id(self) -> int:
        return self.head.id
