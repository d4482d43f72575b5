"""What a horse inherits from its worker: the worker's name, and the trainer that waits for it, already imported."""

from jobs.runs.trainer_process import PrewarmedTrainer

_name = "worker"
_spare: PrewarmedTrainer | None = None


def set_fork_context(name: str, spare: PrewarmedTrainer | None) -> None:
    """Called by the worker right before it forks."""
    global _name, _spare
    _name, _spare = name, spare


def worker_name() -> str:
    """Name of the worker that forked this horse."""
    return _name


def prewarmed_trainer() -> PrewarmedTrainer | None:
    """The trainer to take over, if one waits."""
    return _spare
