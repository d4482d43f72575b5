"""Each attempt writes to a folder of its own, which begins with what the attempt before it recorded."""

import stat
from pathlib import Path

from orchestrator.services.attempts.checkpoints import checkpoints_until, saved_step
from orchestrator.services.attempts.folders import (
    attempt_folder,
    attempts_on_disk,
    job_folder,
    readable_folder,
    start_attempt_folder,
)


def checkpoint(job_id: int, attempt: int, step: int) -> Path:
    folder = attempt_folder(job_id, attempt) / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    return folder


def test_an_attempt_begins_with_what_the_one_before_it_recorded(home: Path) -> None:
    first = start_attempt_folder(7, 1)
    (first / "log.jsonl").write_text("one\n")
    (first / "metrics.jsonl").write_text("{}\n")
    (first / "baseline.json").write_text("{}")
    (first / "result.json").write_text("{}")
    second = start_attempt_folder(7, 2)
    with (first / "log.jsonl").open("a") as late:
        late.write("written after the second attempt began\n")
    assert {path.name for path in second.iterdir()} == {"log.jsonl", "metrics.jsonl", "baseline.json"}
    assert (second / "log.jsonl").read_text() == "one\n"
    assert readable_folder(7, 2) == second == home / "jobs" / "7" / "a2"


def test_a_folder_is_for_the_studio_alone(home: Path) -> None:
    folder = start_attempt_folder(7, 1)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, job_folder(7))] == [0o700, 0o700]


def test_files_of_version_0_1_are_read_until_an_attempt_has_a_folder(home: Path) -> None:
    old = job_folder(7)
    old.mkdir(parents=True)
    (old / "log.jsonl").write_text("old\n")
    (old / "adapter").mkdir()
    assert attempts_on_disk(7) == [0]
    assert readable_folder(7, 3) == old
    assert (start_attempt_folder(7, 4) / "log.jsonl").read_text() == "old\n"
    assert readable_folder(7, 3) == old
    assert readable_folder(7, 4) == attempt_folder(7, 4)


def test_a_folder_that_the_database_does_not_know_is_replaced(home: Path) -> None:
    (start_attempt_folder(7, 1) / "log.jsonl").write_text("of a later time than the backup\n")
    assert list(start_attempt_folder(7, 1).iterdir()) == []


def test_checkpoints_of_all_attempts_count_until_the_current_one(home: Path) -> None:
    assert (saved_step(7, 1), checkpoints_until(7, 1)) == (0, [])
    old, first, second = checkpoint(7, 0, 4), checkpoint(7, 1, 12), checkpoint(7, 2, 8)
    checkpoint(7, 3, 99)
    (attempt_folder(7, 2) / "checkpoints" / ".part" / "checkpoint-16").mkdir(parents=True)
    assert checkpoints_until(7, 2) == [first, second, old]
    assert saved_step(7, 2) == 12
