"""`python -m jobs.worker`: one worker process; see `rq_worker.main` for its options."""

import sys

from jobs.worker.rq_worker import main

if __name__ == "__main__":
    sys.exit(main())
