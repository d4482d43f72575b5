"""The live records: what open pages, the job's files and its curves in SQL are fed with.

A record is one JSON object in the field `d` of an entry of a Redis stream: of `LIVE_STREAM`, and mostly of the job's
own stream too. What the trainer records also stands in the job's `metrics.jsonl`, a line each.

| kind     | written by                          | says                                            | where     |
|----------|-------------------------------------|-------------------------------------------------|-----------|
| metric   | trainer (`jobs/sinks/recorder.py`)  | values measured at an optimizer step            | all three |
| progress | trainer                             | where the run stands                            | all three |
| samples  | trainer                             | what the model makes of some validation clips   | all three |
| note     | trainer                             | a sentence that its job keeps                   | all three |
| log      | worker (`jobs/runs/log_capture.py`) | a line that the trainer printed                 | both      |
| status   | services (`training/lifecycle.py`)  | the job has moved to another status             | both      |
| noted    | services                            | the job in SQL has new notes or samples         | both      |
| system   | worker (`jobs/telemetry/sampler.py`)| processor and memory that the run takes         | live only |
| notice   | services (`notifications`)          | a person has a new notification, or has read some | live only |
| gap      | `services/live_hub.py`              | records may be missing here: read SQL           | in memory |
| history  | the REST events of a job            | the curves so far, as the first event           | REST only |

Only the trainer numbers its records: `seq` rises by one with each, across attempts, so that a reader sees a loss.
Others have seq 0. Of a `notice`, `job` is the negative id of the person (`redis_keys.notice_channel`).
"""

import json
from enum import StrEnum
from typing import Any, Literal, NotRequired, TypedDict, get_args, get_type_hints

Phase = Literal["train", "eval"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Stage(StrEnum):
    """What a trainer is doing."""

    LOADING = "loading"
    """It imports, and loads the base; no record says so."""
    FEATURES = "features"
    BASELINE = "baseline"
    TRAINING = "training"
    EVALUATION = "evaluation"
    """At the end of an epoch."""
    FINAL_EVALUATION = "final_evaluation"
    """All steps are trained: every validation clip is evaluated."""
    EXPORT = "export"


class Head(TypedDict):
    """What every record that travels through Redis has."""

    job: int
    attempt: int
    seq: int
    t: str
    """ISO 8601, UTC."""


class MetricRecord(Head):
    kind: Literal["metric"]
    step: int
    total: int
    """Optimizer steps of the whole run."""
    epoch: float
    phase: Phase
    values: dict[str, float]
    """By series: loss, learning_rate, eval_loss, ...; finite numbers only."""


class ProgressRecord(Head):
    kind: Literal["progress"]
    step: int
    total: int
    epoch: float
    message: str
    stage: NotRequired[str]
    """A `Stage`, where the record marks the beginning of one."""


class SamplesRecord(Head):
    kind: Literal["samples"]
    step: int
    epoch: float
    samples: list[dict[str, Any]]
    """As `samples` of a run summary."""


class NoteRecord(Head):
    kind: Literal["note"]
    name: str
    """The kind of the timeline's line; a later note of the same name replaces the earlier one in the summary."""
    message: str


class LogRecord(Head):
    kind: Literal["log"]
    level: LogLevel
    message: str


class StatusRecord(Head):
    kind: Literal["status"]
    status: str
    error: str
    owner: NotRequired[int]
    """The id of the job's owner, where it is at hand."""


class NotedRecord(Head):
    kind: Literal["noted"]


class SystemSample(TypedDict):
    """A line of the job's `telemetry.jsonl`."""

    n: int
    """Counts the samples of a job across attempts, from 1."""
    t: str
    s: float
    """Seconds since the job's first sample."""
    values: dict[str, float]
    """cpu, machine_cpu, gpu (0..1); memory, machine_memory, gpu_memory (bytes)."""


class SystemRecord(Head, SystemSample):
    kind: Literal["system"]


class NoticeRecord(Head):
    """Without `id` it says that something was read in another tab."""

    kind: Literal["notice"]
    id: NotRequired[int]
    what: NotRequired[str]
    title: NotRequired[str]
    body: NotRequired[str]
    about: NotRequired[int | None]
    """The job that it is about."""


class GapRecord(TypedDict):
    kind: Literal["gap"]
    job: int | None
    """None: of all jobs."""
    attempt: int
    seq: int


class HistoryRecord(TypedDict):
    kind: Literal["history"]
    job: int
    seq: int
    """The last record that the curves hold; those that follow are newer."""
    series: dict[str, list[list[float]]]
    """name -> [[step, value], ...]"""


RunRecord = MetricRecord | ProgressRecord | SamplesRecord | NoteRecord
"""What a trainer records."""

LiveRecord = RunRecord | LogRecord | StatusRecord | NotedRecord | SystemRecord | NoticeRecord
"""What travels through Redis."""

HubRecord = LiveRecord | GapRecord
"""What a listener of the live hub gets."""


def _kinds(union: Any) -> frozenset[str]:
    return frozenset(get_args(get_type_hints(record)["kind"])[0] for record in get_args(union))


RUN_KINDS, LIVE_KINDS = _kinds(RunRecord), _kinds(LiveRecord)


def pack(record: HubRecord | HistoryRecord) -> bytes:
    """One record as compact JSON; NaN and infinities become null, which every reader understands."""
    try:
        return json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        return json.dumps(_finite(record), separators=(",", ":"), allow_nan=False).encode()


def unpack(raw: bytes | str) -> LiveRecord | None:
    """The record, or None when the bytes hold none of a known kind: a reader skips it."""
    try:
        record = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("job"), int):
        return None
    return record if record.get("kind") in LIVE_KINDS else None  # pyright: ignore[reportReturnType]


def unpack_run_record(raw: bytes | str) -> RunRecord | None:
    """The same for a line of `metrics.jsonl`."""
    record = unpack(raw)
    return record if record and record["kind"] in RUN_KINDS else None  # pyright: ignore[reportReturnType]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
