"""The files of a job: their list, single downloads, and the adapter folder as one zip."""

from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.adapters import ResultKind
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.job_files import APPENDED, LOG, METRICS, RESULT, TELEMETRY, TENSORBOARD
from orchestrator.domain.training_jobs import FINAL
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.attempts.ended import read_records
from orchestrator.services.training.rows import ArtifactRow
from orchestrator.services.zips import up_to_date_zip

_DOWNLOADABLE = (ResultKind.ADAPTER, ResultKind.MODEL, RESULT, METRICS, TELEMETRY, LOG, TENSORBOARD)


def list_artifacts(session: Session, actor: Actor, job_id: int) -> list[ArtifactRow]:
    """The files of the job that can be downloaded, the adapter first."""
    records = read_records(session, job_id, owned_job(session, actor, job_id).attempt)
    folder, rows = records.folder, list[ArtifactRow]()
    for name in filter(records.may_show, _DOWNLOADABLE):
        top, limit = folder / name, records.limit(name) if name in APPENDED else None
        for path in [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file()):
            stat = path.stat()
            modified_at = datetime.fromtimestamp(stat.st_mtime, UTC)
            size = stat.st_size if limit is None else min(limit, stat.st_size)
            rows.append(ArtifactRow(path.relative_to(folder).as_posix(), size, modified_at))
    return rows


def find_artifact(session: Session, actor: Actor, job_id: int, name: str) -> tuple[Path, int]:
    """The path of a listed file, and how many of its bytes belong to the job: a cut-off run may still append to it.

    Raises:
        NotFound: the job is not the actor's, or lists no such file.
    """
    size = next((row.size_bytes for row in list_artifacts(session, actor, job_id) if row.name == name), None)
    if size is None:
        raise NotFound("This job has no such file.")
    return read_records(session, job_id, owned_job(session, actor, job_id).attempt).folder / name, size


def adapter_zip(session: Session, actor: Actor, job_id: int) -> Path:
    """The adapter folder as one zip, created at the first request and kept in the job's folder.

    Raises:
        Conflict: the job has no adapter yet, or ended without one.
    """
    job = owned_job(session, actor, job_id)
    records = read_records(session, job_id, job.attempt)
    folder = records.folder
    # Pre-training, and training without adapters, produce a complete model.
    found = [folder / kind for kind in ResultKind if records.may_show(kind) and (folder / kind).is_dir()]
    if not found:
        if job.status in FINAL:
            raise Conflict("This job ended before it had an adapter to save.")
        raise Conflict("The adapter is written when the training ends. Come back then.")
    return up_to_date_zip(found[0], folder / f"{job.name}.zip", root=job.name)
