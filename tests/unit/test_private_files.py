"""Files of the studio are created for its own account only."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.private_files import keep_files_private


@pytest.fixture(autouse=True)
def _own_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_new_files_and_an_old_folder_are_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    keep_files_private(folder)
    (folder / "jobs").mkdir()
    (folder / "jobs" / "log.jsonl").write_text("")
    modes = [path.stat().st_mode & 0o777 for path in (folder, folder / "jobs", folder / "jobs" / "log.jsonl")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_folder_that_is_made_later_is_no_error(tmp_path: Path) -> None:
    keep_files_private(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
