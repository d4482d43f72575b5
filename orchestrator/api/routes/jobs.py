"""Training jobs by REST: preflight, launch, list, stop, resume, clone, curves, live events, logs, files."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from orchestrator.api.shapes import BodyId, Id, QueryId, page, shape
from orchestrator.api.who import Who
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import Recipe, parse_recipe
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.live_hub import get_hub
from orchestrator.services.metrics import history, logs, telemetry
from orchestrator.services.training import artifacts, jobs, launch, lifecycle, report
from orchestrator.services.training import compare as comparing
from orchestrator.services.training import preflight as preflights

router = APIRouter(tags=["jobs"])


class JobBody(BaseModel):
    """What a run is asked to do; the same sentences as in the wizard answer what does not fit."""

    dataset_id: BodyId
    model_id: BodyId
    training_type: str = "finetune"
    qlora: dict[str, Any] = Field(default_factory=dict)
    optim: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    machine: dict[str, Any] = Field(default_factory=dict)
    output_name: str = "adapter"

    def recipe(self) -> Recipe:
        return parse_recipe(self.model_dump(exclude={"dataset_id", "model_id"}))


@router.post("/jobs/preflight")
def preflight(actor: Who, body: JobBody) -> dict[str, Any]:
    try:
        recipe = body.recipe()
    except Invalid as refused:
        problems = [{"field": field, "message": message} for field, message in refused.problems]
        return {"ok": False, "problems": problems}
    with session_scope() as session:
        found = preflights.preflight(session, actor, body.dataset_id, body.model_id, recipe)
    return shape(found, problems=[{"field": field, "message": message} for field, message in found.problems])


@router.get("/jobs")
def list_jobs(
    actor: Who,
    q: str = "",
    status: str = "",
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
    dataset: QueryId = None,
    model: QueryId = None,
    owner: Annotated[str, Query(max_length=64)] = "",
) -> dict[str, Any]:
    """`dataset`, `model`: their ids. `owner`: `all` or a username, for administrators."""
    with session_scope() as session:
        return page(jobs.list_jobs(session, actor, q, status, sort, limit, cursor, dataset, model, owner))


@router.post("/jobs", status_code=201)
def launch_job(
    actor: Who, body: JobBody, idempotency_key: Annotated[str, Header(max_length=80)] = ""
) -> dict[str, Any]:
    with session_scope() as session:
        row = launch.launch_job(session, actor, body.dataset_id, body.model_id, body.recipe(), idempotency_key)
    return shape(row)


@router.get("/jobs/{job_id}")
def get_job(actor: Who, job_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        return shape(jobs.get_job(session, actor, job_id))


@router.delete("/jobs/{job_id}", status_code=204)
def delete_job(actor: Who, job_id: Id) -> None:
    with session_scope() as session:
        jobs.delete_job(session, actor, job_id)


@router.post("/jobs/{job_id}/stop", status_code=202)
def stop(actor: Who, job_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        lifecycle.request_stop(session, actor, job_id)
        return shape(jobs.get_job(session, actor, job_id))


@router.post("/jobs/{job_id}/resume", status_code=202)
def resume(actor: Who, job_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        lifecycle.resume_job(session, actor, job_id)
        return shape(jobs.get_job(session, actor, job_id))


@router.post("/jobs/{job_id}/clone")
def clone(actor: Who, job_id: Id) -> dict[str, Any]:
    """The values of a new job like this one, to be changed and posted to /jobs."""
    with session_scope() as session:
        values = jobs.clone_values(session, actor, job_id)
    recipe = values.pop("recipe")
    return {key: None if value is None else str(value) for key, value in values.items()} | recipe


@router.get("/jobs/{job_id}/metrics")
def metrics(
    actor: Who,
    job_id: Id,
    series: str = "",
    points: Annotated[int, Query(ge=2, le=20_000)] = 1_000,
    after_seq: Annotated[int, Query(ge=0)] = 0,
    first_step: Annotated[int | None, Query(ge=0)] = None,
    last_step: Annotated[int | None, Query(ge=0)] = None,
) -> dict[str, Any]:
    wanted = [name.strip() for name in series.split(",") if name.strip()]
    with session_scope() as session:
        return shape(history.history(session, actor, job_id, wanted, points, after_seq, first_step, last_step))


@router.get("/jobs/{job_id}/telemetry")
def job_telemetry(actor: Who, job_id: Id, points: Annotated[int, Query(ge=10, le=2_000)] = 400) -> dict[str, Any]:
    """What the run took of its machine; x in seconds since its first start."""
    with session_scope() as session:
        return shape(telemetry.telemetry(session, actor, job_id, points))


@router.get("/jobs/{job_id}/timeline")
def timeline(actor: Who, job_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        rows = [shape(row) for row in jobs.list_events(session, actor, job_id)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.get("/jobs/{job_id}/logs")
def job_logs(
    actor: Who,
    job_id: Id,
    limit: Annotated[int, Query(ge=1, le=2_000)] = 200,
    before: int | None = None,
    after: int | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
    level: str = "",
) -> dict[str, Any]:
    with session_scope() as session:
        return shape(logs.tail(session, actor, job_id, limit, before, after, q, level))


@router.get("/jobs/{job_id}/log.txt")
def log_text(actor: Who, job_id: Id) -> StreamingResponse:
    """The whole log as plain text."""
    with session_scope() as session:
        lines = logs.as_text(session, actor, job_id)
    headers = {"Content-Disposition": f'attachment; filename="job-{job_id}.log"'}
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/jobs/{job_id}/artifacts")
def list_artifacts(actor: Who, job_id: Id) -> dict[str, Any]:
    with session_scope() as session:
        rows = [shape(row) for row in artifacts.list_artifacts(session, actor, job_id)]
    return {"items": rows, "next": None, "total": len(rows)}


@router.get("/jobs/{job_id}/artifacts/{name:path}")
def artifact(actor: Who, job_id: Id, name: str) -> FileResponse:
    with session_scope() as session:
        path = artifacts.artifact_path(session, actor, job_id, name)
    return FileResponse(path, filename=path.name)


@router.get("/jobs/{job_id}/download")
def download(actor: Who, job_id: Id) -> FileResponse:
    with session_scope() as session:
        path = artifacts.adapter_zip(session, actor, job_id)
    return FileResponse(path, filename=path.name, media_type="application/zip")


@router.get("/jobs/{job_id}/report")
def job_report(actor: Who, job_id: Id) -> Response:
    """One HTML file that opens without a network."""
    with session_scope() as session:
        name, text = report.report(session, actor, job_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/compare")
def compare(actor: Who, ids: Annotated[str, Query(max_length=400)], series: str = "loss") -> dict[str, Any]:
    """Jobs side by side: `ids=1,2,3`, at most 20."""
    wanted = [int(part) for part in ids.split(",") if part.strip().isdigit()]
    with session_scope() as session:
        found = comparing.compare_jobs(session, actor, wanted)
        curves = comparing.curves_of(session, actor, wanted, series)
    return shape(found, curves={str(job_id): curve for job_id, curve in curves.items()})


def _event(record: dict[str, Any]) -> str:
    seq = record.get("seq") or 0
    head = f"id: {seq}\n" if seq else ""
    return f"{head}event: {record.get('kind', 'message')}\ndata: {json.dumps(record, separators=(',', ':'))}\n\n"


def _missed(actor: Actor, job_id: int, after_seq: int) -> str:
    with session_scope() as session:
        found = history.history(session, actor, job_id, (), 20_000, after_seq)
    record = {"kind": "history", "job": job_id, "seq": found.last_seq, "series": found.series}
    return _event(record)


@router.get("/jobs/{job_id}/events")
async def events(
    actor: Who, job_id: Id, request: Request, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """Server-sent events: first the curves since Last-Event-ID, then each record as it comes."""
    await run_in_threadpool(get_job, actor, job_id)
    after = int(last_event_id) if last_event_id.isdigit() else 0

    async def stream() -> AsyncIterator[str]:
        subscription = await get_hub().listen(job_id)
        try:
            yield await run_in_threadpool(_missed, actor, job_id, after)
            while not subscription.closed and not await request.is_disconnected():
                records = await subscription.take(15.0)
                yield "".join(_event(record) for record in records) or ": still here\n\n"
        finally:
            subscription.close()

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
