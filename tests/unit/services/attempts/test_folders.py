"""Each attempt has a folder of its own, which appears complete."""

import stat
from pathlib import Path

from orchestrator.services.attempts.folders import (
    attempt_folder,
    attempt_of,
    attempts_on_disk,
    job_folder,
    new_attempt_folder,
    readable_folder,
)


def create(attempt: int, content: str = "") -> Path:
    return new_attempt_folder(7, attempt, lambda folder: (folder / "log.jsonl").write_text(content))


def test_a_folder_appears_once_it_is_filled(home: Path) -> None:
    first = create(1, "one")
    seen = []
    second = new_attempt_folder(7, 2, lambda _: seen.append(readable_folder(7, 2)))
    assert seen == [first]
    assert readable_folder(7, 2) == second == home / "jobs" / "7" / "a2"
    assert [attempt_of(path) for path in (first, second, job_folder(7))] == [1, 2, 0]


def test_a_folder_is_for_the_studio_alone(home: Path) -> None:
    folder = create(1)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, job_folder(7))] == [0o700, 0o700]


def test_the_folder_of_version_0_1_is_read_until_an_attempt_has_one(home: Path) -> None:
    job_folder(7).mkdir(parents=True)
    (job_folder(7) / "adapter").mkdir()
    assert attempts_on_disk(7) == [0]
    assert readable_folder(7, 3) == job_folder(7)
    create(4)
    assert readable_folder(7, 3) == job_folder(7)
    assert readable_folder(7, 4) == attempt_folder(7, 4)


def test_a_folder_that_the_database_does_not_know_is_replaced(home: Path) -> None:
    create(1, "of a later time than the backup")
    assert (create(1) / "log.jsonl").read_text() == ""
