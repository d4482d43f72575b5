"""A trainer that imports everything first and then waits for its spec: a launch does not pay for the imports."""

import sys
from pathlib import Path

from jobs.processes.parent_death import die_with_declared_parent, end_when_closed
from jobs.trainer.malloc import keep_freed_memory
from jobs.trainer.silence import silence_libraries
from jobs.trainer.startup import end, fast_imports


def main() -> int:
    """Reads one line from stdin, the path of a spec, and trains it; ends when stdin is closed."""
    die_with_declared_parent()
    silence_libraries()
    keep_freed_memory()
    with fast_imports():
        from jobs.trainer.entrypoint import main as train  # seconds: torch, transformers, peft

    line = sys.stdin.readline().strip()
    if not line:
        return 0
    end_when_closed()
    return train(Path(line))


if __name__ == "__main__":
    end(main())
