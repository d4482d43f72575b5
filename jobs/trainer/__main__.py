"""`python -m jobs.trainer SPEC.json`: trains one attempt from a spec file, with or without a web around it."""

import os
import sys
from pathlib import Path

from jobs.processes.parent_death import die_with_declared_parent, die_with_parent
from jobs.trainer.malloc import keep_freed_memory
from jobs.trainer.silence import silence_libraries
from jobs.trainer.startup import end, fast_imports


def main() -> int:
    """Ends together with the process that started it, if one declared itself."""
    if len(sys.argv) != 2:
        print("Usage: python -m jobs.trainer SPEC.json", file=sys.stderr)  # noqa: T201
        return 2
    if "LOCAL_RANK" in os.environ:
        die_with_parent()  # the launcher of several ranks, which is tied to the run's own process
    else:
        die_with_declared_parent()
    silence_libraries()
    keep_freed_memory()
    with fast_imports():
        from jobs.trainer.entrypoint import main as train

    return train(Path(sys.argv[1]))


if __name__ == "__main__":
    end(main())
