"""`python -m jobs.controller`: the process that reconciles SQL with Redis."""

import sys

from jobs.controller.loop import main

if __name__ == "__main__":
    sys.exit(main())
