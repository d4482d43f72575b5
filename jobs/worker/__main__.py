"""`python -m jobs.worker`: one worker process; see `main.main` for its options."""

import sys

from jobs.worker.main import main

if __name__ == "__main__":
    sys.exit(main())
