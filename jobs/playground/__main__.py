"""`python -m jobs.playground [WORKER]`: answers questions about clips, with the last models kept in memory."""

import os
import sys

from jobs.processes.parent_death import die_with_declared_parent
from jobs.trainer.silence import silence_libraries
from orchestrator.logs import configure_logging, take_over_loggers


def main() -> int:
    """Ends with the worker that started it."""
    die_with_declared_parent()
    silence_libraries()
    os.nice(5)  # trainings have priority
    configure_logging("playground")
    from jobs.playground.server import Server  # seconds: torch, transformers, peft

    take_over_loggers()  # those that the libraries made
    return Server(sys.argv[1] if len(sys.argv) > 1 else "").run()


if __name__ == "__main__":
    sys.exit(main())
