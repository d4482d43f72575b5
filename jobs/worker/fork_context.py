"""What the forked process of a job inherits from its worker: the worker's name, and the trainer that waits for it."""

from jobs.runs.trainer_process import PrewarmedTrainer

_name = "worker"
_trainer: PrewarmedTrainer | None = None


def set_fork_context(name: str, trainer: PrewarmedTrainer | None) -> None:
    """Called by the worker right before it forks."""
    global _name, _trainer
    _name, _trainer = name, trainer


def worker_name() -> str:
    """Name of the worker that forked this process."""
    return _name


def prewarmed_trainer() -> PrewarmedTrainer | None:
    """The trainer that has imported everything and waits for a run, if there is one."""
    return _trainer
