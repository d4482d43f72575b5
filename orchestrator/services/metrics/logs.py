"""A job's log, read from its file at byte positions, so that a page costs the same anywhere in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from orchestrator.domain.job_files import LOG
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_job
from orchestrator.services.attempts.ended import read_records
from orchestrator.services.metrics.rows import LogPage, LogRow

MAX_LINES = 2_000
_BLOCK_BYTES = 64 * 1024
_AT_LEAST = {
    "warning": frozenset({"warning", "warn", "error", "critical"}),
    "error": frozenset({"error", "critical"}),
}


def tail(
    session: Session,
    actor: Actor,
    job_id: int,
    limit: int = 200,
    before: int | None = None,
    after: int | None = None,
    q: str = "",
    level: str = "",
) -> LogPage:
    """Lines of the job's log, the oldest first: the newest ones, or those before or after a byte position.

    Args:
        before, after: positions that an earlier page returned.
        q: only lines that contain this text, whatever its case.
        level: `warning` or `error`: only lines of at least this level.

    Raises:
        NotFound: not the actor's job.
    """
    path, size = _readable(session, owned_job(session, actor, job_id))
    limit = max(1, min(limit, MAX_LINES))
    if not size:
        return LogPage([], None, 0)
    if (q.strip() or level in _AT_LEAST) and after is None:
        return _matching(path, size, before, limit, _Filter(q.strip().lower(), _AT_LEAST.get(level, frozenset())))
    return _forward(path, size, max(0, after), limit) if after is not None else _backward(path, size, before, limit)


@dataclass(frozen=True, slots=True)
class _Filter:
    text: str
    levels: frozenset[str]
    """Empty: all."""

    def matches(self, row: LogRow) -> bool:
        return (not self.levels or row.level in self.levels) and self.text in row.message.lower()


def _matching(path: Path, size: int, before: int | None, limit: int, line_filter: _Filter) -> LogPage:
    """Reads the file backwards, page by page, until enough lines match."""
    matches: list[LogRow] = []
    marker = size if before is None else min(before, size)
    page: LogPage | None = None
    while marker > 0 and len(matches) < limit:
        page = _backward(path, size, marker, MAX_LINES)
        matches = [row for row in page.lines if line_filter.matches(row)] + matches
        marker = page.before or 0
    more = len(matches) > limit or marker > 0
    matches = matches[-limit:]
    return LogPage(matches, matches[0].position if more and matches else None, size)


def _forward(path: Path, size: int, start: int, limit: int) -> LogPage:
    lines: list[LogRow] = []
    with path.open("rb") as file:
        file.seek(start)
        position = start
        while len(lines) < limit and position < size:
            raw = file.readline(size - position)
            if not raw.endswith(b"\n"):
                break  # the end, or a half-written line
            if row := _row(raw, position):
                lines.append(row)
            position += len(raw)
    return LogPage(lines, start or None, position)


def _backward(path: Path, size: int, before: int | None, limit: int) -> LogPage:
    with path.open("rb") as file:
        end = size if before is None else min(before, size)
        start, block = end, b""
        while start > 0 and block.count(b"\n") <= limit:
            step = min(_BLOCK_BYTES, start)
            start -= step
            file.seek(start)
            block = file.read(step) + block
    complete = block[: block.rfind(b"\n") + 1]
    raws = complete.splitlines(keepends=True)
    skipped = max(0, len(raws) - limit)
    position = start + sum(len(raw) for raw in raws[:skipped])
    first = position
    lines: list[LogRow] = []
    for raw in raws[skipped:]:
        if row := _row(raw, position):
            lines.append(row)
        position += len(raw)
    return LogPage(lines, first or None, position)


def _row(raw: bytes, position: int) -> LogRow | None:
    """The row of a line; one that a crash cut off is shown as it is."""
    try:
        line = json.loads(raw)
        return LogRow(str(line["t"]), str(line.get("level", "info")), str(line["message"]), position)
    except (ValueError, KeyError, TypeError):
        text = raw.decode(errors="replace").strip()
        return LogRow("", "info", text, position) if text else None


def as_text(session: Session, actor: Actor, job_id: int) -> Iterator[str]:
    """The complete log as plain text, read while it is sent.

    Raises:
        NotFound: not the actor's job.
    """
    return _plain(*_readable(session, owned_job(session, actor, job_id)))


def _readable(session: Session, job: TrainingJob) -> tuple[Path, int]:
    """The log of the job's current attempt, and how many of its bytes were written before the attempt ended."""
    records = read_records(session, job.id or 0, job.attempt)
    path, limit = records.folder / LOG, records.limit(LOG)
    size = path.stat().st_size if path.exists() else 0
    return path, size if limit is None else min(size, limit)


def _plain(path: Path, size: int) -> Iterator[str]:
    if not size:
        return
    with path.open("rb") as file:
        while size > 0 and (raw := file.readline(size)):
            size -= len(raw)
            if row := _row(raw, 0):
                yield f"{row.at} {row.level.upper():<7} {row.message}\n"
