"""What a run took of its machine over time, read from its folder and downsampled for the screen."""

import json

from sqlmodel import Session

from orchestrator.domain.job_files import TELEMETRY
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.attempts.ended import read_records
from orchestrator.services.metrics.downsample import min_max
from orchestrator.services.metrics.rows import Telemetry

MAX_POINTS = 2_000


def telemetry(session: Session, actor: Actor, job_id: int, points: int = 400) -> Telemetry:
    """The curves of processor, memory and GPU of a run and its machine.

    Raises:
        NotFound: not the actor's job.
    """
    job = owned_job(session, actor, job_id)
    records = read_records(session, job_id, job.attempt)
    curves: dict[str, list[list[float]]] = {}
    last = 0
    try:
        raw = (records.folder / TELEMETRY).read_bytes()[: records.limit(TELEMETRY)]
    except OSError:
        return Telemetry({}, 0)
    for text in raw[: raw.rfind(b"\n") + 1].splitlines():
        try:
            line = json.loads(text)
            last, second = int(line["n"]), float(line["s"])
            for name, value in line["values"].items():
                curves.setdefault(str(name), []).append([second, float(value)])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a line that a crash cut off
    bounded = max(10, min(points, MAX_POINTS))
    return Telemetry({name: min_max(curve, bounded) for name, curve in curves.items()}, last)
