"""What a horse inherits from its worker: the worker's name, and the trainer that waits for it, already imported."""

from jobs.runs.trainer_process import Spare

_name = "worker"
_spare: Spare | None = None


def saddle(name: str, spare: Spare | None) -> None:
    """Called by the worker right before it forks."""
    global _name, _spare
    _name, _spare = name, spare


def worker_name() -> str:
    """Name of the worker that forked this horse."""
    return _name


def current_spare() -> Spare | None:
    """The trainer to take over, if one waits."""
    return _spare
