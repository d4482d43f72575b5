"""Inspects clips in sandboxed processes, several at once: a file that ends its decoder costs that clip only."""

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

from orchestrator.domain.clip_facts import ClipFacts, SpanFacts
from orchestrator.services import sandbox
from orchestrator.services.sandbox import Tool

MAX_CLIPS_PER_PROCESS = 2_000
"""After so many clips a process is replaced, and with it the memory that its decoders have leaked."""
MAX_PROCESSES = 8
ProbeRequest = tuple[str, str, str]
"""(file, name for sentences, file for its film strip)"""
SpanRequest = tuple[float, float, str]
"""(first second, last second, file for its film strip)"""
_MAX_REQUEST_BYTES = 2**15
"""Half of what a pipe holds: a process that does not read never blocks its caller."""
_READ_BYTES = 2**16


class ProbePool:
    """A process per core: `pool([(path, name, strip), ...])` returns the facts of each clip, from any thread."""

    def __init__(self, size: int = 0, limit_s: float = Tool.PROBE.value.limit_s) -> None:
        """
        Args:
            size: processes; 0: one per core that may be used.
            limit_s: seconds for one clip.
        """
        self.size = size or min(MAX_PROCESSES, len(os.sched_getaffinity(0)))
        self._processes = [ProbeProcess(limit_s) for _ in range(self.size)]
        self._idle: queue.SimpleQueue[ProbeProcess] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)

    def __enter__(self) -> Self:
        """Starts the processes, so that they are ready when the caller has unpacked the clips."""
        for process in self._processes:
            process.child()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._processes:
            process.end()

    def __call__(self, requests: Sequence[ProbeRequest]) -> list[ClipFacts]:
        process = self._idle.get()
        try:
            return process(requests)
        finally:
            self._idle.put(process)

    def spans(self, path: str, name: str, spans: Sequence[SpanRequest]) -> list[SpanFacts]:
        """The facts of some spans of a film; [] where they cannot be decoded. From any thread."""
        process = self._idle.get()
        try:
            return process.spans(path, name, spans)
        finally:
            self._idle.put(process)


class ProbeProcess:
    """One process for clips; another one is started after it died. The thread that starts it must outlive it."""

    def __init__(self, limit_s: float = Tool.PROBE.value.limit_s) -> None:
        self._limit_s = limit_s
        self._child: subprocess.Popen[bytes] | None = None
        self._clips, self._unread = 0, b""

    def __call__(self, requests: Sequence[ProbeRequest]) -> list[ClipFacts]:
        facts: list[ClipFacts] = []
        while len(facts) < len(requests):
            facts += self._probe(requests[len(facts) :])
        return facts

    def spans(self, path: str, name: str, spans: Sequence[SpanRequest]) -> list[SpanFacts]:
        """The facts of some spans of a film; [] where they cannot be decoded, or end the process."""
        child = self.child()
        self._clips += 1
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps([path, name, "", spans]).encode() + b"\n")
            child.stdin.flush()
        answer, failure = self._read_line(child)
        if failure:
            self.end()
            return []
        return [SpanFacts(**facts) for facts in json.loads(answer)]

    def _probe(self, requests: Sequence[ProbeRequest]) -> list[ClipFacts]:
        """The facts of the first clips, at least of one: as many as fit, until one of them ends the process.

        The requests are written together, so that the process never waits for the next one.
        """
        child, lines = self.child(), [json.dumps(request).encode() + b"\n" for request in requests]
        while len(lines) > 1 and sum(map(len, lines)) > _MAX_REQUEST_BYTES:
            lines.pop()
        self._clips += len(lines)
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(b"".join(lines))
            child.stdin.flush()
        facts: list[ClipFacts] = []
        for (_, name, strip), _ in zip(requests, lines, strict=False):
            answer, failure = self._read_line(child)
            if not failure:
                facts.append(ClipFacts(**json.loads(answer)))
                continue
            self.end()
            Path(strip).unlink(missing_ok=True)  # it may be half-written
            return [*facts, ClipFacts(problem=f"{name} {failure}. Convert it to MP4 and upload it again.")]
        return facts

    def _read_line(self, child: subprocess.Popen[bytes]) -> tuple[bytes, str]:
        """(the next line that it prints, "") or (b"", why there is none)."""
        assert child.stdout is not None
        while b"\n" not in self._unread:
            if not select.select([child.stdout], [], [], self._limit_s)[0]:
                return b"", "takes too long to look through"
            block = os.read(child.stdout.fileno(), _READ_BYTES)
            if not block:
                return b"", "makes the decoder fail"
            self._unread += block
        line, _, self._unread = self._unread.partition(b"\n")
        return line, ""

    def end(self) -> None:
        """Ends the process; the next clip starts another."""
        if self._child is not None:
            sandbox.end(self._child)
        self._child = None

    def child(self) -> subprocess.Popen[bytes]:
        """The process, started if needed. One that died between two clips costs none of them."""
        if self._child is not None and (self._child.poll() is not None or self._clips >= MAX_CLIPS_PER_PROCESS):
            self.end()
        if self._child is None:
            self._child, self._clips, self._unread = sandbox.start(Tool.PROBE), 0, b""
        return self._child
