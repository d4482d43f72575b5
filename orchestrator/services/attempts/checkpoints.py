"""The checkpoints of a job, over all its attempts."""

from pathlib import Path

from orchestrator.domain.job_files import CHECKPOINT_PREFIX, CHECKPOINTS
from orchestrator.domain.numbers import parse_id
from orchestrator.services.attempts.folders import attempt_folder, attempts_on_disk


def checkpoints_until(job_id: int, attempt: int) -> list[Path]:
    """The checkpoints of this attempt and those before it, the one with the most steps first."""
    folders = [attempt_folder(job_id, number) for number in attempts_on_disk(job_id) if number <= attempt]
    found = [path for folder in folders for path in folder.glob(f"{CHECKPOINTS}/{CHECKPOINT_PREFIX}*")]
    return sorted(found, key=step_of, reverse=True)


def step_of(checkpoint: Path) -> int:
    """The step at which it was saved; 0 for another folder."""
    return parse_id(checkpoint.name.removeprefix(CHECKPOINT_PREFIX))


def saved_step(job_id: int, attempt: int) -> int:
    """The step of the newest checkpoint; 0 where there is none, or where the folder is on another host."""
    return max(map(step_of, checkpoints_until(job_id, attempt)), default=0)
