"""The real worker with the stand-in trainer."""

import sys
from pathlib import Path

from jobs.runs import trainer_process
from jobs.worker.main import main

FAKE = (sys.executable, str(Path(__file__).with_name("trainer.py")))

if __name__ == "__main__":
    trainer_process.TRAINER_COMMAND = FAKE
    trainer_process.PREWARMED_COMMAND = FAKE
    sys.exit(main(sys.argv[1:]))
