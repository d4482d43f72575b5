"""docs/architecture.md is a map: what it names must exist, and what exists must be on it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "docs" / "architecture.md").read_text()


def _named_paths() -> set[str]:
    return {
        name.rstrip("/")
        for name in re.findall(r"`((?:orchestrator|jobs|tests|docs|benchmarks|alembic|assets)/[\w./-]*)`", MAP)
    }


def test_what_the_map_names_exists() -> None:
    missing = sorted(name for name in _named_paths() if not (ROOT / name).exists())
    assert not missing, f"docs/architecture.md names what is not there: {missing}"


def test_every_room_is_on_the_map() -> None:
    rooms = [
        f"{house}/{path.name}"
        for house in ("orchestrator", "jobs")
        for path in (ROOT / house).iterdir()
        if path.is_dir() and not path.name.startswith(("_", "."))
    ]
    missing = sorted(room for room in rooms if room not in _named_paths())
    assert not missing, f"docs/architecture.md forgets: {missing}"
