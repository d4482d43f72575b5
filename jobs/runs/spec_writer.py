"""Writes the spec of a run from the database: which clips, which base model, which recipe, on which devices."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.library_versions import newer_libraries
from jobs.runs.manifest import link_manifest, write_manifest
from jobs.runs.spec import TrainSpec
from jobs.telemetry.device import find_device, visible_gpus
from orchestrator.domain.adapters import Adapter
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.job_files import CLIPS, SPEC
from orchestrator.domain.machines import parse_shape
from orchestrator.domain.models import ModelSource, VideoModel
from orchestrator.domain.recipes import stored_recipe
from orchestrator.domain.redis_keys import LIVE_STREAM, STREAM_MAXLEN, job_stop, job_stream
from orchestrator.domain.tasks import TASK_OF_MODEL, TASKS
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.services.adapters.files import adapter_folder
from orchestrator.services.attempts.checkpoints import checkpoints_to_resume_from
from orchestrator.services.datasets.curation.versions import stream_clips_at
from orchestrator.services.db import session_scope
from orchestrator.services.metrics.rollups import newest_seq
from orchestrator.settings import Settings

_NEWER = (
    "Its checkpoint was written by {}. An older version may read it wrongly, so nothing was loaded or changed. The job "
    "does not go on by itself: bring the worker {} to these versions, or stop it, then resume the job."
)
_MIN_FREE_BYTES = 64 * 2**20


class MissingInput(Exception):
    """Something that a run needs is not there: its dataset, its base model, free disk.

    Attributes:
        sentence: for the job's page.
    """

    def __init__(self, sentence: str, kind: FailureKind = FailureKind.INPUTS_GONE) -> None:
        super().__init__(sentence)
        self.sentence, self.kind = sentence, kind


def unwritable(error: OSError) -> MissingInput:
    """The failure of a job whose folder could not be written."""
    kind = FailureKind.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else FailureKind.CRASH
    return MissingInput(f"The job's folder could not be written: {error}.", kind)


def write_spec(job_id: int, attempt: int, folder: Path, settings: Settings) -> tuple[Path, int]:
    """Writes `spec.json` for one attempt of a job into its folder.

    Returns:
        The file, and how many GPUs train.

    Raises:
        MissingInput: the dataset or the base model is gone, the disk is full, or newer libraries wrote its checkpoint.
        OSError: the folder is unwritable.
    """
    with session_scope() as session:
        job = session.get(TrainingJob, job_id)
        dataset = session.get(Dataset, job.dataset_id) if job and job.dataset_id else None
        model = session.get(VideoModel, job.model_id) if job and job.model_id else None
        if job is None or dataset is None:
            raise MissingInput("The dataset of this job was deleted before it started.")
        if model is None or not model.path or not os.path.isdir(model.path):
            raise MissingInput("The base model of this job is not there any more.")
        checkpoints = checkpoints_to_resume_from(session, job_id)
        if newer := newer_libraries(checkpoints):
            raise MissingInput(_NEWER.format(" and ".join(newer), job.worker), FailureKind.OLDER_LIBRARIES)
        spec = TrainSpec(
            job_id=job_id,
            attempt=attempt,
            name=job.name,
            folder=str(folder),
            recipe=stored_recipe(job.recipe),
            dataset_name=job.dataset_name,
            dataset_version=job.dataset_version,
            trackers=[tool for tool in settings.trackers.split(",") if tool.strip()],
            model_name=job.model_name,
            live_stream=LIVE_STREAM,
            job_stream=job_stream(job_id),
            stream_maxlen=STREAM_MAXLEN,
            stop_key=job_stop(job_id),
            gpus=_gpus_for(job),
            checkpoints=[str(path) for path in checkpoints],
            first_seq=newest_seq(session, job_id),
            prunes=False,
            **_adapter_to_continue(session, job, checkpoints),
            # The version of the launch, whatever was corrected since: a resumed run trains on the same clips.
            **training_inputs(session, dataset, job.dataset_version, model, settings, folder),
        )
    if shutil.disk_usage(folder).free < _MIN_FREE_BYTES:
        raise MissingInput("The disk is full. Free some space, then resume the job.", FailureKind.DISK_FULL)
    path = folder / SPEC
    spec.save(path)
    return path, len(spec.gpus)


def training_inputs(
    session: Session, dataset: Dataset, version: int, model: VideoModel, settings: Settings, folder: Path
) -> dict[str, Any]:
    """The fields of a `TrainSpec` that say what is trained on what: the same for a run and for its rehearsal.

    Args:
        folder: that of the spec, into which the manifest of the clips is linked.
    """
    task, names, has_several = TASK_OF_MODEL[model.model_type], set[str](), False

    def specs() -> Iterator[ClipSpec]:
        nonlocal has_several
        for clip in stream_clips_at(session, dataset.id or 0, version):
            spec = _clip_spec(clip, settings.storage_dir)
            labels = spec.annotated.labels if spec.label or spec.annotations else ()
            names.update(labels)
            has_several = has_several or len(labels) > 1
            yield spec

    manifest, digest = write_manifest(specs(), settings.manifests_dir)
    link_manifest(manifest, folder / CLIPS)
    return {
        "task": task.key.value,
        "class_names": sorted(names) if TASKS[dataset.task].has_classes else [],
        "problem_type": task.problem_type(has_several).value,
        "model_path": model.path,
        "model_ref": model.source_ref if model.source is ModelSource.HUB else "",
        "model_revision": model.revision,
        "family": model.family,
        "architecture": model.architecture,
        "manifest": CLIPS,
        "manifest_hash": digest,
        "cache_dir": str(settings.cache_folder),
        "cache_bytes": settings.cache_bytes,
        "decode_threads": settings.decode_threads,
    }


def _adapter_to_continue(session: Session, job: TrainingJob, checkpoints: Sequence[Path]) -> dict[str, str]:
    """The fields of a `TrainSpec` about the adapter that the run continues from; {} where it begins with new weights.

    A run that has a checkpoint goes on without the adapter, from the files that its checkpoint shares with it.

    Raises:
        MissingInput: the adapter was deleted before the first checkpoint.
    """
    adapter_id = job.recipe.get("adapter")
    if not adapter_id:
        return {}
    adapter = session.get(Adapter, adapter_id)
    if adapter is not None and adapter.owner_id == job.owner_id and (folder := adapter_folder(adapter)).is_dir():
        return {"adapter_folder": str(folder), "adapter_name": f"{adapter.name} v{adapter.version}"}
    if checkpoints:
        return {"adapter_folder": str(checkpoints[0]), "adapter_name": f"adapter {adapter_id} (deleted)"}
    raise MissingInput("The adapter that this job continues from was deleted before it started.")


def _gpus_for(job: TrainingJob) -> list[str]:
    """As many of this worker's GPUs as the job asked for; one where it did not say."""
    return visible_gpus()[: max(1, parse_shape(job.needs).gpus)] if find_device().gpus else []


def _clip_spec(clip: Clip, storage: Path) -> ClipSpec:
    assert clip.id is not None
    path = os.path.join(storage, clip.path)  # an absolute path stays as it is
    return ClipSpec(
        clip.id,
        path,
        clip.label,
        clip.caption,
        clip.split.value,
        clip.content_hash,
        clip.name,
        clip.frames,
        clip.prompt,
        clip.annotations.to_json() if clip.annotations else {},
        clip.start_s,
        clip.end_s,
        clip.width,
        clip.height,
        clip.duration_s,
    )
