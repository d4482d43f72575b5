"""`./loreel setup`: builds the pages and ends, so that an image or a slow machine has it behind itself."""

import sys
import time

from orchestrator.stack import checks, frontend
from orchestrator.stack.children import Log
from orchestrator.stack.errors import StackError


def main() -> int:
    """Exit code 0 when the pages stand."""
    began = time.monotonic()
    try:
        built = frontend.build(checks.read_settings().dev)
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        return 1
    note = "" if built else " (nothing to do)"
    Log().line("loreel", f"Pages{note}: {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
