"""Brings the database to the newest revision, in a process of its own and only when it is behind."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from orchestrator.settings import ROOT, Settings
from orchestrator.stack.errors import StackError


def head_revisions(versions: Path) -> set[str]:
    """Revisions that no other revision follows, read from the files' text: importing Alembic takes half a second."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in versions.glob("*.py"):
        text = path.read_text()
        own = re.search(r"^revision\b[^=]*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
        if own:
            revisions.add(own[1])
            below = re.search(r"^down_revision\b[^=]*=\s*(.+)$", text, re.MULTILINE)
            followed.update(re.findall(r"['\"]([^'\"]+)['\"]", below[1]) if below else ())
    return revisions - followed


def sqlite_revision(path: Path) -> set[str]:
    """What the database file says of itself; empty when it is not there or not ours yet."""
    if not path.exists():
        return set()
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as connection:
            return {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error:
        return set()


def is_current(settings: Settings) -> bool:
    """True when nothing is to be done. A server database is always asked through Alembic."""
    prefix = "sqlite:///"
    url = settings.resolved_database_url
    if not url.startswith(prefix):
        return False
    heads = head_revisions(ROOT / "alembic" / "versions")
    return bool(heads) and sqlite_revision(Path(url.removeprefix(prefix))) == heads


def migrate(settings: Settings) -> bool:
    """Upgrades when needed; returns whether it did. Raises StackError with the last line of what went wrong."""
    if is_current(settings):
        return False
    program = "from orchestrator.services.db import run_migrations; run_migrations()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise StackError(f"The database could not be brought up to date: {lines[-1]}")
    return True
