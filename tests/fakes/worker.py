"""The real worker with the stand-in trainer."""

import sys
from pathlib import Path

from jobs.runs import trainer_process
from jobs.worker import main as worker

FAKE = (sys.executable, str(Path(__file__).with_name("trainer.py")))


def main(arguments: list[str]) -> int:
    """As `python -m jobs.worker` with these arguments."""
    trainer_process.TRAINER_COMMAND = FAKE
    trainer_process.PREWARMED_COMMAND = FAKE
    return worker.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
