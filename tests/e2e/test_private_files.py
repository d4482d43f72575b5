"""After real work no file of the data folder can be read by another account of the machine."""

import stat
from pathlib import Path

import httpx
import pytest

from benchmarks.studio import Studio
from tests.e2e.test_jobs import launch, wait_for


def open_to_others(folder: Path) -> list[str]:
    """Files and folders that group or others may read, write or enter."""
    found = [folder, *folder.rglob("*")]
    return sorted(
        f"{stat.filemode(path.lstat().st_mode)} {path.relative_to(folder)}"
        for path in found
        if not path.is_symlink() and path.exists() and path.lstat().st_mode & 0o077
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_files_are_for_the_studio_only(api: httpx.Client, app_server: Studio) -> None:
    # Other tests write into these two folders themselves, and into their own log.
    before = open_to_others(app_server.data_dir)
    by_tests = {line for line in before if line.partition(" ")[2].startswith(("models", "jobs/"))}
    job = launch(api, "private")
    wait_for(api, job, "running", "completed")
    api.post(f"/jobs/{job}/stop")
    wait_for(api, job, "stopped", "completed")
    dataset = api.get("/datasets").json()["items"][0]["id"]
    assert api.get(f"/datasets/{dataset}/export").status_code == 200
    log = app_server.log.relative_to(app_server.data_dir).as_posix()
    found = set(open_to_others(app_server.data_dir)) - by_tests
    assert [line for line in sorted(found) if not line.endswith(f" {log}")] == []
