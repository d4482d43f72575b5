"""The page of one training job: its history first, then every new record as it comes."""

from typing import Any

import reflex as rx

from orchestrator.domain.errors import AppError, NotFound
from orchestrator.domain.metrics import headline
from orchestrator.domain.recipes import Recipe
from orchestrator.domain.training_jobs import ACTIVE
from orchestrator.services.metrics.history import history
from orchestrator.services.metrics.logs import tail
from orchestrator.services.training import lifecycle
from orchestrator.services.training.jobs import delete_job
from orchestrator.services.training.rows import JobRow
from orchestrator.states import words
from orchestrator.states.guards import act, said, signed_in
from orchestrator.states.job_detail_load import Visit, visit_job
from orchestrator.states.job_form_rows import ReviewRow, review_rows
from orchestrator.states.job_live import TAIL, Batch, Follower, News
from orchestrator.states.job_metrics import MetricCard, cards
from orchestrator.states.job_rows import (
    EventLine,
    JobHead,
    LogLine,
    Progress,
    Result,
    job_head,
    log_row_line,
    progress_of_record,
    progress_of_row,
    result_of,
    task_of,
)
from orchestrator.states.live import listening, sips

POINTS = 1000
"""Points of each curve at most: more than a screen has columns."""
LOG_PAGE = 200
TABS = ("overview", "metrics", "logs", "settings", "timeline")


class JobDetail(rx.State):
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
    lines: list[LogLine] = []
    older: int = -1
    """Marker of older log lines, -1 when the first one is here."""
    events: list[EventLine] = []
    settings: list[ReviewRow] = []
    result: Result = Result()
    adapter_size: str = ""
    load_code: str = ""
    measure: str = headline("classification").name
    """The series that stands for a run of this task."""
    measure_label: str = headline("classification").label
    total_steps: int = 0
    stopping: bool = False
    _follower: Follower = Follower()
    _recipe: dict[str, Any] = {}
    _row: JobRow | None = None

    @rx.var
    def page_title(self) -> str:
        """What the tab of the browser says: the state first."""
        if self.missing:
            return "No such job - Loreel"
        if not self.head.id:
            return "Training job - Loreel"
        running = self.head.status == "running"
        state = f"{self.progress.percent}{words.NARROW}%" if running else self.head.status.capitalize()
        return f"{state} - job {self.head.id} - Loreel"

    @rx.event
    @signed_in
    async def load(self):
        """Opens the job of the address, or says that there is none."""
        number = str(self.router.url.path).rstrip("/").rpartition("/")[2]
        wanted = int(number) if number.isdigit() and len(number) < 18 else 0
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
        return JobDetail.watch

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
            async for records in sips(subscription):
                await self._drink(job_id, records)

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
        return JobDetail.refill if self.tab in ("overview", "metrics") else None

    @rx.event
    @signed_in
    async def older_lines(self):
        """The log lines before the first one shown."""
        if self.older >= 0:
            await self._read_log(before=self.older)

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
        self._row, self._recipe = row, row.recipe
        self.head, self.progress = job_head(row), progress_of_row(row)
        self.events, self.result = visit.events, result_of(row.summary)
        self.tail = visit.tail
        self.adapter_size = words.size(visit.adapter_bytes) if visit.adapter_bytes else ""
        self.load_code = visit.load_code
        self.settings = review_rows(row.dataset_name, row.model_name, Recipe.model_validate(row.recipe), visit.clips)
        measure = headline(task_of(row.summary))
        self.measure, self.measure_label = measure.name, measure.label
        self.cards = self._figures(self._follower)
        self.total_steps = row.total_steps

    def _figures(self, follower: Follower) -> list[MetricCard]:
        return cards(follower.tally, self._recipe, task_of(self._row.summary if self._row else {}))

    async def _fill(self, job_id: int) -> None:
        """The whole history, from a background event; what came meanwhile is told again, never lost."""
        found = await act(self, history, job_id, points=POINTS)
        follower = Follower(seq=found.last_seq)
        follower.tally.fill(found.series)
        async with self:
            if self.head.id != job_id:
                return
            self._follower, self.history = follower, found.series
            self.cards = self._figures(follower)

    async def _drink(self, job_id: int, records: list[dict[str, Any]]) -> None:
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
                self.lines = [*self.lines, *news.logs][-LOG_PAGE * 5 :]
        if news.progress and self._row is not None:
            self.progress = progress_of_record(news.progress, self._row.epochs, self._row.started_at)

    async def _read_log(self, before: int | None) -> None:
        page = await act(self, tail, self.head.id, limit=LOG_PAGE, before=before)
        fresh = [log_row_line(line) for line in page.lines]
        self.lines = [*fresh, *self.lines] if before is not None else fresh
        self.older = page.before if page.before is not None else -1
