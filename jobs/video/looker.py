"""Has the files of strangers looked at by processes with limits, several at once; each clip pays for itself only."""

import contextlib
import json
import os
import queue
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from jobs.recovery.tether import die_with_parent
from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.settings import ROOT

LIMIT_S = 150.0
"""For one clip."""
CLIPS_EACH = 2_000
"""After so many a child is replaced: whatever a decoder loses of its memory ends with it."""
MOST_AT_ONCE = 8
_LENT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")


class Lookers:
    """As many as there are cores: `lookers(path, name, strip)` -> facts, from any thread."""

    def __init__(self, at_once: int = 0, limit_s: float = LIMIT_S) -> None:
        self.at_once = at_once or min(MOST_AT_ONCE, len(os.sched_getaffinity(0)))
        self._all = [Looker(limit_s) for _ in range(self.at_once)]
        self._idle: queue.SimpleQueue[Looker] = queue.SimpleQueue()
        for looker in self._all:
            self._idle.put(looker)

    def __enter__(self) -> Self:
        """The children start now, while the caller unpacks what they are to look at."""
        for looker in self._all:
            looker.child()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for looker in self._all:
            looker.end()

    def __call__(self, path: Path, name: str, strip: Path) -> ClipFacts:
        looker = self._idle.get()
        try:
            return looker(path, name, strip)
        finally:
            self._idle.put(looker)


class Looker:
    """One child and its clips; a new child after each one that died. The caller's thread outlives the child."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._child: subprocess.Popen[bytes] | None = None
        self._clips = 0

    def __call__(self, path: Path, name: str, strip: Path) -> ClipFacts:
        child = self.child()
        self._clips += 1
        assert child.stdin is not None
        assert child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps([str(path), name, str(strip)]).encode() + b"\n")
            child.stdin.flush()
        ready = select.select([child.stdout], [], [], self._limit_s)[0]
        answer = child.stdout.readline() if ready else b""
        if answer:
            return ClipFacts(**json.loads(answer))
        self.end()
        strip.unlink(missing_ok=True)  # half written, perhaps
        what = "makes the decoder fail" if ready else "takes too long to look through"
        return ClipFacts(problem=f"{name} {what}. Convert it to MP4 and upload it again.")

    def end(self) -> None:
        """Ends the child; the next clip starts another."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        self._child = None

    def child(self) -> subprocess.Popen[bytes]:
        """The child, started now if need be: one that died between two clips is nobody's fault."""
        if self._child is not None and (self._child.poll() is not None or self._clips >= CLIPS_EACH):
            self.end()
        if self._child is None:
            self._child, self._clips = self._start(), 0
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        me = os.getpid()
        return subprocess.Popen(
            [sys.executable, "-m", "jobs.video.eyes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _LENT if name in os.environ} | {"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(me),
        )
