"""Has the files of strangers looked at by processes with limits, several at once; each clip pays for itself only."""

import contextlib
import json
import os
import queue
import select
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.services import sandbox
from orchestrator.services.sandbox import Tool

CLIPS_EACH = 2_000
"""After so many a child is replaced: whatever a decoder loses of its memory ends with it."""
MOST_AT_ONCE = 8
Asked = tuple[str, str, str]
_SENT_BYTES = 2**15
"""Half of what a pipe holds: a child that does not listen never stops its caller."""
_HEARD_BYTES = 2**16


class ProbePool:
    """As many as there are cores: `lookers([(path, name, strip), ...])` -> facts of each, from any thread."""

    def __init__(self, at_once: int = 0, limit_s: float = Tool.PROBE.value.limit_s) -> None:
        self.at_once = at_once or min(MOST_AT_ONCE, len(os.sched_getaffinity(0)))
        self._all = [ProbeProcess(limit_s) for _ in range(self.at_once)]
        self._idle: queue.SimpleQueue[ProbeProcess] = queue.SimpleQueue()
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

    def __call__(self, asked: Sequence[Asked]) -> list[ClipFacts]:
        looker = self._idle.get()
        try:
            return looker(asked)
        finally:
            self._idle.put(looker)


class ProbeProcess:
    """One child and its clips; a new child after each one that died. The caller's thread outlives the child."""

    def __init__(self, limit_s: float = Tool.PROBE.value.limit_s) -> None:
        self._limit_s = limit_s
        self._child: subprocess.Popen[bytes] | None = None
        self._clips, self._received = 0, b""

    def __call__(self, asked: Sequence[Asked]) -> list[ClipFacts]:
        facts: list[ClipFacts] = []
        while len(facts) < len(asked):
            facts += self._ask(asked[len(facts) :])
        return facts

    def _ask(self, asked: Sequence[Asked]) -> list[ClipFacts]:
        """Of the first ones, at least one: until a clip ends the child. The next one does not wait for the question."""
        child, lines = self.child(), [json.dumps(ask).encode() + b"\n" for ask in asked]
        while len(lines) > 1 and sum(map(len, lines)) > _SENT_BYTES:
            lines.pop()
        self._clips += len(lines)
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(b"".join(lines))
            child.stdin.flush()
        facts: list[ClipFacts] = []
        for (_, name, strip), _ in zip(asked, lines, strict=False):
            answer, what = self._read_line(child)
            if not what:
                facts.append(ClipFacts(**json.loads(answer)))
                continue
            self.end()
            Path(strip).unlink(missing_ok=True)  # half written, perhaps
            return [*facts, ClipFacts(problem=f"{name} {what}. Convert it to MP4 and upload it again.")]
        return facts

    def _read_line(self, child: subprocess.Popen[bytes]) -> tuple[bytes, str]:
        """The next line that it says, or what keeps it from saying one."""
        assert child.stdout is not None
        while b"\n" not in self._received:
            if not select.select([child.stdout], [], [], self._limit_s)[0]:
                return b"", "takes too long to look through"
            more = os.read(child.stdout.fileno(), _HEARD_BYTES)
            if not more:
                return b"", "makes the decoder fail"
            self._received += more
        line, _, self._received = self._received.partition(b"\n")
        return line, ""

    def end(self) -> None:
        """Ends the child; the next clip starts another."""
        if self._child is not None:
            sandbox.end(self._child)
        self._child = None

    def child(self) -> subprocess.Popen[bytes]:
        """The child, started now if need be: one that died between two clips is nobody's fault."""
        if self._child is not None and (self._child.poll() is not None or self._clips >= CLIPS_EACH):
            self.end()
        if self._child is None:
            self._child, self._clips, self._received = sandbox.start(Tool.PROBE), 0, b""
        return self._child
