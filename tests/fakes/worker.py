"""The real worker with the stand-in trainer."""

import sys
from pathlib import Path

from jobs.runs import trainer_process
from jobs.worker import rq_worker

FAKE = (sys.executable, str(Path(__file__).with_name("trainer.py")))

if __name__ == "__main__":
    trainer_process.COLD = FAKE
    trainer_process.WARM = FAKE
    sys.exit(rq_worker.main(sys.argv[1:]))
