"""Training jobs by REST: preflight, launch, list, stop, resume, clone, metrics, live events, logs, files."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from orchestrator.api.answers.jobs import (
    ClonedJob,
    ComparisonAnswer,
    PreflightAnswer,
    UnreadableRecipe,
    recipe_problems,
)
from orchestrator.api.authentication import CurrentUser
from orchestrator.api.checked_route import expensive
from orchestrator.api.documented_route import documented_router
from orchestrator.api.event_streams import ASK_AGAIN_S, Validity, check_open_streams, open_stream
from orchestrator.api.file_ranges import cut_at
from orchestrator.api.person_slots import run_for
from orchestrator.api.rules import NO_FLAG, Cursor, IdList, Limit, OutputName, one_of, some_of, sorted_by
from orchestrator.api.schema.markers import Media, Shape
from orchestrator.api.schema.recipe_bodies import body_part, unchecked_part
from orchestrator.api.serialization import (
    AnyFile,
    BodyId,
    Id,
    OptionalQueryCount,
    QueryCount,
    QueryId,
    QueryPosition,
    ZipFile,
    attachment,
    complete_page,
    extended,
    zip_response,
)
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.live_records import HistoryRecord, HubRecord
from orchestrator.domain.numbers import LARGEST_ID, parse_id, parse_number
from orchestrator.domain.recipe_augment import Augmentation
from orchestrator.domain.recipe_data import Data, Machine
from orchestrator.domain.recipe_eval import Evaluation
from orchestrator.domain.recipe_optim import Optim
from orchestrator.domain.recipe_qlora import Qlora, TrainingType
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.users import Actor, Milestone
from orchestrator.services.db import session_scope
from orchestrator.services.live_hub import get_hub
from orchestrator.services.metrics import history, logs, telemetry
from orchestrator.services.metrics.rows import History, LogPage, Telemetry
from orchestrator.services.milestones import reach
from orchestrator.services.paging import Page
from orchestrator.services.training import artifacts, checkpoints, jobs, launch, lifecycle, report
from orchestrator.services.training import clone as cloning
from orchestrator.services.training import compare as comparing
from orchestrator.services.training import preflight as preflights
from orchestrator.services.training.defaults import with_defaults
from orchestrator.services.training.rows import ArtifactRow, CheckpointRow, EventRow, JobRow

router = documented_router(tags=["jobs"])


OptionalVersion = Annotated[int | None, Field(ge=1, le=LARGEST_ID), NO_FLAG]
OptionalAdapter = Annotated[int | None, Field(ge=1, le=LARGEST_ID), NO_FLAG]
NOT_IN_RECIPE = {"dataset_id", "model_id", "dataset_version", "sweep"}
"""Fields of a body in addition to those of the recipe."""


class UncheckedJobBody(BaseModel):
    """A recipe with its dataset and base model, valid or not."""

    dataset_id: BodyId
    model_id: BodyId
    training_type: str = TrainingType.FINETUNE.value
    qlora: unchecked_part(Qlora)  # pyright: ignore[reportInvalidTypeForm]
    optim: unchecked_part(Optim)  # pyright: ignore[reportInvalidTypeForm]
    data: unchecked_part(Data)  # pyright: ignore[reportInvalidTypeForm]
    eval: unchecked_part(Evaluation)  # pyright: ignore[reportInvalidTypeForm]
    augment: unchecked_part(Augmentation)  # pyright: ignore[reportInvalidTypeForm]
    machine: unchecked_part(Machine)  # pyright: ignore[reportInvalidTypeForm]
    output_name: str = "adapter"
    adapter: OptionalAdapter = None
    """The id of the adapter version to continue from; left out or null: a new adapter."""
    dataset_version: OptionalVersion = None
    """The version of the dataset to learn from; left out or null: the newest."""

    @property
    def ids(self) -> tuple[int, int]:
        """Dataset and base model."""
        return self.dataset_id, self.model_id

    def given(self) -> dict[str, Any]:
        """The fields of the recipe that were sent, as they were sent."""
        return self.model_dump(exclude=NOT_IN_RECIPE, exclude_unset=True)

    def recipe(self, session: Session, actor: Actor) -> Recipe:
        """The recipe, with the defaults of this base and dataset for what was left out.

        Raises:
            Invalid: `problems` names each bad field with its sentence.
        """
        return parse_recipe(with_defaults(session, actor, *self.ids, self.given()))


class JobBody(UncheckedJobBody):
    """A recipe with its dataset and base model. Problems read the same as in the job form."""

    training_type: Annotated[str, one_of(TrainingType)] = TrainingType.FINETUNE.value
    qlora: body_part(Qlora)  # pyright: ignore[reportInvalidTypeForm]
    optim: body_part(Optim)  # pyright: ignore[reportInvalidTypeForm]
    data: body_part(Data)  # pyright: ignore[reportInvalidTypeForm]
    eval: body_part(Evaluation)  # pyright: ignore[reportInvalidTypeForm]
    augment: body_part(Augmentation)  # pyright: ignore[reportInvalidTypeForm]
    machine: body_part(Machine)  # pyright: ignore[reportInvalidTypeForm]
    output_name: OutputName = "adapter"


@router.post("/jobs/preflight")
@expensive
def preflight(actor: CurrentUser, body: UncheckedJobBody) -> PreflightAnswer | UnreadableRecipe:
    with session_scope() as session:
        try:
            recipe = body.recipe(session, actor)
        except Invalid as error:
            return UnreadableRecipe(False, recipe_problems(error.problems))
        result = preflights.preflight(session, actor, body.dataset_id, body.model_id, recipe, body.dataset_version or 0)
    return extended(PreflightAnswer, result, problems=recipe_problems(result.problems))


@router.get("/jobs")
def list_jobs(
    actor: CurrentUser,
    q: str = "",
    status: Annotated[str, some_of(jobs.STATUS_WORDS)] = "",
    sort: Annotated[str, sorted_by(jobs.SORTS)] = "-created_at",
    limit: Limit = 50,
    cursor: Cursor | None = None,
    dataset: QueryId = None,
    model: QueryId = None,
    owner: Annotated[str, Query(max_length=64)] = "",
) -> Page[JobRow]:
    """`dataset`, `model`: their ids. `owner`: `all` or a username, for administrators."""
    with session_scope() as session:
        return jobs.list_jobs(session, actor, q, status, sort, limit, cursor, dataset, model, owner)


@router.post("/jobs", status_code=201)
def launch_job(
    actor: CurrentUser, body: JobBody, idempotency_key: Annotated[str, Header(max_length=80)] = ""
) -> JobRow:
    with session_scope() as session:
        recipe, version = body.recipe(session, actor), body.dataset_version or 0
        return launch.launch_job(session, actor, *body.ids, recipe, idempotency_key, version)


@router.get("/jobs/{job_id:int}")
def get_job(actor: CurrentUser, job_id: Id) -> JobRow:
    with session_scope() as session:
        return jobs.get_job(session, actor, job_id)


@router.delete("/jobs/{job_id:int}", status_code=204)
def delete_job(actor: CurrentUser, job_id: Id) -> None:
    with session_scope() as session:
        jobs.delete_job(session, actor, job_id)


@router.post("/jobs/{job_id}/stop", status_code=202)
def stop(actor: CurrentUser, job_id: Id) -> JobRow:
    with session_scope() as session:
        lifecycle.request_stop(session, actor, job_id)
        return jobs.get_job(session, actor, job_id)


@router.post("/jobs/{job_id}/resume", status_code=202)
def resume(actor: CurrentUser, job_id: Id) -> JobRow:
    with session_scope() as session:
        lifecycle.resume_job(session, actor, job_id)
        return jobs.get_job(session, actor, job_id)


@router.post("/jobs/{job_id}/clone")
def clone(
    actor: CurrentUser, job_id: Id, dataset: QueryId = None, model: QueryId = None
) -> Annotated[dict[str, Any], Shape(ClonedJob)]:
    """The body of a new job like this one, to be changed and posted to /jobs; `notes` say in what it will differ.

    `dataset`, `model`: the ids of others to take, which is needed where the job's own were deleted.
    """
    with session_scope() as session:
        source = cloning.clone_job(session, actor, job_id)
    given = {"dataset_id": dataset, "model_id": model}
    if missing := {name: text for name, text in source.deleted.items() if not given[name]}:
        address = "&".join(f"{name.removesuffix('_id')}=ID" for name in missing)
        raise Conflict(f"{' '.join(missing.values())} Name it in the address: ?{address}.", next(iter(missing)))
    ids = {"dataset_id": str(dataset or source.dataset_id), "model_id": str(model or source.model_id)}
    same = dataset in (None, source.dataset_id)
    versions = {"dataset_version": source.newest_version} if same else {}
    return ids | versions | source.recipe | {"notes": source.notes if same else []}


@router.get("/jobs/{job_id}/metrics")
def metrics(
    actor: CurrentUser,
    job_id: Id,
    series: str = "",
    points: Annotated[int, Query(ge=2, le=20_000)] = 1_000,
    after_seq: QueryCount = 0,
    first_step: OptionalQueryCount = None,
    last_step: OptionalQueryCount = None,
) -> History:
    names = [name.strip() for name in series.split(",") if name.strip()]
    with session_scope() as session:
        return history.history(session, actor, job_id, names, points, after_seq, first_step, last_step)


@router.get("/jobs/{job_id}/telemetry")
@expensive
def job_telemetry(actor: CurrentUser, job_id: Id, points: Annotated[int, Query(ge=10, le=2_000)] = 400) -> Telemetry:
    """GPU, CPU and memory use of the run; x in seconds since its first start."""
    with session_scope() as session:
        return telemetry.telemetry(session, actor, job_id, points)


@router.get("/jobs/{job_id}/timeline")
def timeline(actor: CurrentUser, job_id: Id) -> Page[EventRow]:
    with session_scope() as session:
        return complete_page(jobs.list_events(session, actor, job_id))


@router.get("/jobs/{job_id}/logs")
@expensive
def job_logs(
    actor: CurrentUser,
    job_id: Id,
    limit: Annotated[int, Query(ge=1, le=2_000)] = 200,
    before: QueryPosition = None,
    after: QueryPosition = None,
    q: Annotated[str, Query(max_length=200)] = "",
    level: str = "",
) -> LogPage:
    with session_scope() as session:
        return logs.tail(session, actor, job_id, limit, before, after, q, level)


@router.get("/jobs/{job_id}/log.txt")
@expensive
def log_text(actor: CurrentUser, job_id: Id) -> Annotated[StreamingResponse, Media(("text/plain",))]:
    """The complete log as plain text."""
    with session_scope() as session:
        lines = logs.as_text(session, actor, job_id)
    headers = attachment(f"job-{job_id}.log")
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/jobs/{job_id}/checkpoints")
def list_checkpoints(actor: CurrentUser, job_id: Id) -> Page[CheckpointRow]:
    """The checkpoints on disk, the newest first, with their bytes."""
    with session_scope() as session:
        return complete_page(checkpoints.list_checkpoints(session, actor, job_id))


@router.delete("/jobs/{job_id}/checkpoints", status_code=204)
def delete_checkpoints(actor: CurrentUser, job_id: Id, give_up_resume: bool = False) -> None:
    """Deletes the checkpoints of a job that has ended. A stopped or failed job starts over when it is resumed after
    that, which `give_up_resume=true` must confirm."""
    with session_scope() as session:
        checkpoints.delete_checkpoints(session, actor, job_id, give_up_resume)


@router.get("/jobs/{job_id}/artifacts")
def list_artifacts(actor: CurrentUser, job_id: Id) -> Page[ArtifactRow]:
    with session_scope() as session:
        return complete_page(artifacts.list_artifacts(session, actor, job_id))


@router.get("/jobs/{job_id}/artifacts/{name:path}")
def artifact(actor: CurrentUser, job_id: Id, name: str) -> AnyFile:
    with session_scope() as session:
        path, size = artifacts.find_artifact(session, actor, job_id, name)
    return FileResponse(path, filename=path.name, stat_result=cut_at(path, size))


@router.get("/jobs/{job_id}/download")
@expensive
def download(actor: CurrentUser, job_id: Id) -> ZipFile:
    with session_scope() as session:
        path = artifacts.adapter_zip(session, actor, job_id)
        reach(session, actor, Milestone.DOWNLOAD)
    return zip_response(path)


@router.get("/jobs/{job_id}/report")
@expensive
def job_report(actor: CurrentUser, job_id: Id) -> Annotated[Response, Media(("text/html",))]:
    """One HTML file that needs no network."""
    with session_scope() as session:
        name, text = report.report(session, actor, job_id)
    headers = attachment(name)
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/compare")
@expensive
def compare(
    actor: CurrentUser, ids: Annotated[IdList, Query(max_length=400)], series: str = "loss"
) -> ComparisonAnswer:
    """Jobs side by side: `ids=1,2,3`, at most 20."""
    job_ids = [parse_id(part.strip()) for part in ids.split(",") if part.strip()]
    if not all(job_ids):
        raise Invalid("Name the jobs by their ids, with commas between them: ids=1,2,3.", "ids")
    with session_scope() as session:
        comparison = comparing.compare_jobs(session, actor, job_ids)
        curves = comparing.curves_of(session, actor, job_ids, series)
    return extended(ComparisonAnswer, comparison, curves={str(job_id): curve for job_id, curve in curves.items()})


def _event(record: HubRecord | HistoryRecord) -> str:
    head = f"id: {record['seq']}\n" if record["seq"] else ""
    return f"{head}event: {record['kind']}\ndata: {json.dumps(record, separators=(',', ':'))}\n\n"


def _missed_history(actor: Actor, job_id: int, after_seq: int) -> str:
    with session_scope() as session:
        missed = history.history(session, actor, job_id, (), 20_000, after_seq)
    return _event({"kind": "history", "job": job_id, "seq": missed.last_seq, "series": missed.series})


@router.get("/jobs/{job_id}/events")
async def events(
    actor: CurrentUser, job_id: Id, request: Request, last_event_id: Annotated[str, Header()] = ""
) -> Annotated[StreamingResponse, Media(("text/event-stream",))]:
    """Server-sent events: first the metrics since Last-Event-ID, then each record as it arrives."""
    await run_for(actor.user_id, get_job, actor, job_id)
    after = parse_number(last_event_id or "0", LARGEST_ID)
    if after is None:
        raise Invalid("Last-Event-ID must be the id of an event of this stream.", "Last-Event-ID")
    check_open_streams(actor.user_id)

    async def stream() -> AsyncIterator[str]:
        validity = Validity(request)
        async with open_stream(actor.user_id):
            subscription = await get_hub().subscribe(job_id)
            try:
                yield await run_for(actor.user_id, _missed_history, actor, job_id, after)
                while not subscription.closed and not await request.is_disconnected() and await validity.holds():
                    records = await subscription.take(ASK_AGAIN_S)
                    yield "".join(_event(record) for record in records) or ": keep-alive\n\n"
            finally:
                subscription.close()

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
