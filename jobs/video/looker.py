"""`python -m jobs.video.looker`: opens the files of strangers in a process with limits, one after another.

FFmpeg reads what anybody uploads: a file that crashes it, or takes its memory or its time, ends this process only.
"""

import contextlib
import json
import os
import resource
import select
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from jobs.recovery.tether import die_with_parent
from orchestrator.services.datasets.ingest import ClipFacts
from orchestrator.settings import ROOT

LIMIT_S = 150.0
MEMORY_BYTES = 6 * 2**30
_LENT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")


class Looker:
    """The parent's side: `looker(path, name, strip)` -> facts; a new child after each one that died."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def __call__(self, path: Path, name: str, strip: Path) -> ClipFacts:
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps([str(path), name, str(strip)]).encode() + b"\n")
            child.stdin.flush()
        ready = select.select([child.stdout], [], [], self._limit_s)[0]
        answer = child.stdout.readline() if ready else b""
        if answer:
            return ClipFacts(**json.loads(answer))
        self._end()
        what = "makes the decoder fail" if ready else "takes too long to look through"
        return ClipFacts(problem=f"{name} {what}. Convert it to MP4 and upload it again.")

    def _start(self) -> subprocess.Popen[bytes]:
        me = os.getpid()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "jobs.video.looker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _LENT if name in os.environ} | {"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(me),
        )
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        self._child = None


def main() -> int:
    """Answers one line a clip until its stdin ends."""
    from jobs.ingest import look

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        path, name, strip = json.loads(line)
        try:
            facts = look(Path(path), name, Path(strip))
        except MemoryError:
            facts = ClipFacts(problem=f"{name} needs more memory than a clip may take. Make it smaller first.")
        sys.stdout.write(json.dumps(asdict(facts)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
