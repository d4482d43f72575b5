"""Brings the database to the newest revision, in a process of its own and only when it is behind."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from orchestrator.settings import ROOT, Settings
from orchestrator.stack.errors import StackError

_NEWER = (
    "The database was written by a newer Loreel: start that version, or restore a backup made before the upgrade. "
    "Nothing was changed."
)
TOO_NEW = 3
"""Exit code of `prepare_database` for a database whose revision this version does not know."""


def known_revisions(versions: Path) -> tuple[set[str], set[str]]:
    """All revisions and the heads, read from the files' text: importing Alembic takes half a second."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in versions.glob("*.py"):
        text = path.read_text()
        own = re.search(r"^revision\b[^=]*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
        if own:
            revisions.add(own[1])
            below = re.search(r"^down_revision\b[^=]*=\s*(.+)$", text, re.MULTILINE)
            followed.update(re.findall(r"['\"]([^'\"]+)['\"]", below[1]) if below else ())
    return revisions, revisions - followed


def sqlite_revision(path: Path) -> set[str]:
    """The revision in the database file; empty when there is no file or it has no tables of ours yet."""
    if not path.exists():
        return set()
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as connection:
            return {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error:
        return set()


def _sqlite_file(settings: Settings) -> Path | None:
    prefix = "sqlite:///"
    url = settings.resolved_database_url
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def is_current(settings: Settings) -> bool:
    """True when nothing is to be done. A server database is always asked through Alembic."""
    path = _sqlite_file(settings)
    heads = known_revisions(ROOT / "alembic" / "versions")[1]
    return path is not None and bool(heads) and sqlite_revision(path) == heads


def refuse_newer_file(settings: Settings) -> None:
    """Raises StackError for an SQLite file of a newer version: before anything is opened for writing."""
    path = _sqlite_file(settings)
    if path is not None and sqlite_revision(path) - known_revisions(ROOT / "alembic" / "versions")[0]:
        raise StackError(_NEWER)


def migrate(settings: Settings) -> bool:
    """Upgrades when needed; returns whether it did. Raises StackError with the last line of what went wrong."""
    if is_current(settings):
        return False
    refuse_newer_file(settings)
    command = [sys.executable, "-m", "orchestrator.stack.prepare_database"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == TOO_NEW:
        raise StackError(_NEWER)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise StackError(f"The database could not be brought up to date: {lines[-1]}")
    return True
