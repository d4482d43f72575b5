"""Live records for tests: complete ones, of which a test names only what it is about."""

from orchestrator.domain.live_records import GapRecord, Head, MetricRecord, NotedRecord, StatusRecord


def head(job: int = 1, seq: int = 0, attempt: int = 1) -> Head:
    return {"job": job, "attempt": attempt, "seq": seq, "t": "2026-01-01T00:00:00+00:00"}


def metric(job: int = 1, seq: int = 1, step: int | None = None, **values: float) -> MetricRecord:
    return {
        **head(job, seq),
        "kind": "metric",
        "step": step or seq,
        "total": 0,
        "epoch": 0.0,
        "phase": "train",
        "values": values or {"loss": 1.0 / seq},
    }


def status(job: int = 1, word: str = "completed", owner: int | None = None) -> StatusRecord:
    record: StatusRecord = {**head(job), "kind": "status", "status": word, "error": ""}
    return record if owner is None else {**record, "owner": owner}


def noted(job: int = 1) -> NotedRecord:
    return {**head(job), "kind": "noted"}


def gap(job: int | None = None) -> GapRecord:
    return {"job": job, "attempt": 0, "seq": 0, "kind": "gap"}
