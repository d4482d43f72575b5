"""`./loreel setup`: builds the pages and the documentation, so that an image or a slow machine has it done."""

import sys
import time

from orchestrator.stack import checks, frontend
from orchestrator.stack.children import Log
from orchestrator.stack.docs import site as docs
from orchestrator.stack.errors import StackError


def main() -> int:
    """Exit code 0 when both are built."""
    log = Log()
    try:
        settings = checks.read_settings()
        # The documentation takes its fonts from the npm packages of the pages.
        for what, build in (("Pages", lambda: frontend.build(settings.dev)), ("Documentation", docs.build)):
            began = time.monotonic()
            note = "" if build() else " (nothing to do)"
            log.line("loreel", f"{what}{note}: {time.monotonic() - began:.1f} s")
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
