"""A data folder of version 0.1 opens with today's code: everything reads as before, and its stopped job goes on."""

import io
import json
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from orchestrator.domain.models import VideoModel
from orchestrator.services import db
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.models.builtin import FOLDER as BUILTIN
from orchestrator.settings import get_settings
from orchestrator.stack.migrate import is_current, migrate
from tests.api_client import PASSWORD, SITE, make_client
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, forget_caches, start_controller, start_process, until

FORMER = Path(__file__).parents[1] / "data" / "former_data_folder"
FACTS: dict[str, Any] = json.loads((FORMER / "facts-0.1.json").read_text())
COMPLETED, STOPPED, LOST = FACTS["jobs"]
FIRST_STEPS = STOPPED["step"]
ANNOTATIONS = ("captions", "conversations", "labels", "start_s", "end_s", "film_s")
"""What came since 0.1 with clips of several labels, captions and turns, and with parts of films."""
Processes = list[AnyProcess]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The former folder, unpacked at another place than it was made at, and migrated."""
    folder = Path(tempfile.mkdtemp(prefix="lrl-", dir="/tmp"))
    with tarfile.open(FORMER / "data-0.1.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    for base in folder.glob("jobs/*/adapter/base"):
        shutil.copyfile(BUILTIN / "videomae-tiny" / "model.safetensors", base / "model.safetensors")
    monkeypatch.setenv("LOREEL_DATA_DIR", str(folder))
    forget_caches()
    assert not is_current(get_settings())
    assert migrate(get_settings())
    assert is_current(get_settings())
    yield folder
    db.engine().dispose()
    forget_caches()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def client(redis_server: RedisProcess) -> TestClient:
    """The browser of the account that is in the folder."""
    forget_clients()
    browser = make_client(origin=SITE)
    answer = browser.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return browser


def get(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def as_before(now: dict[str, Any], before: dict[str, Any], *new: str) -> dict[str, Any]:
    """Checks that nothing of an answer is lost or changed, and gives what came in addition."""
    assert {key: now.get(key) for key in before} == before
    assert set(now) - set(before) == set(new)
    return {key: now[key] for key in new}


def test_everything_reads_as_before(client: TestClient) -> None:
    (dataset,) = get(client, "/datasets")["items"]
    assert as_before(dataset, FACTS["datasets"][0], "not_used") == {"not_used": []}
    clips = get(client, f"/datasets/{dataset['id']}/clips")["items"]
    kinds = {
        clip["name"]: as_before(clip, before, "problem_kind", *ANNOTATIONS)["problem_kind"]
        for clip, before in zip(clips, FACTS["clips"], strict=True)
    }
    assert {name: kind for name, kind in kinds.items() if kind} == {
        "fast/fast-broken.mp4": "damaged",
        "slow/slow-again.mp4": "duplicate",
    }
    new = ("failure", "model_revision")
    jobs = [as_before(get(client, f"/jobs/{before['id']}"), before, *new) for before in FACTS["jobs"]]
    assert [job["failure"] for job in jobs] == [None, None, "machine_lost"]
    for job_id, before in FACTS["timelines"].items():
        assert get(client, f"/jobs/{job_id}/timeline")["items"] == before
    assert get(client, f"/jobs/{COMPLETED['id']}/metrics")["series"]["loss"] == FACTS["loss"]
    (adapter,) = get(client, "/adapters")["items"]
    assert as_before(adapter, FACTS["adapters"][0], "parent_id", "parent_name") == {
        "parent_id": None,
        "parent_name": "",
    }


def test_its_files_are_there(client: TestClient) -> None:
    clip = FACTS["clips"][0]["id"]
    assert client.get(f"/api/v1/clips/{clip}/download").content[4:8] == b"ftyp"
    assert client.get(f"/api/v1/clips/{clip}/thumbnail").headers["content-type"] == "image/jpeg"
    download = client.get(f"/api/v1/adapters/{FACTS['adapters'][0]['id']}/download")
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= names
    report = client.get(f"/api/v1/jobs/{COMPLETED['id']}/report").text
    assert "<h2>Confusion matrix</h2>" in report


@pytest.mark.slow
def test_its_stopped_job_goes_on_to_the_end(client: TestClient, home: Path, processes: Processes) -> None:
    before = get(client, f"/jobs/{STOPPED['id']}/metrics")["series"]["loss"]
    start_controller(processes, home)  # it corrects where the built-in base models lie
    processes.append(start_process("-m", "jobs.worker", "--device", "cpu", "--no-prep", log=home / "worker.log"))
    here = {str(path) for path in BUILTIN.iterdir()}
    until(lambda: here >= _base_paths(), 60, "the controller finds the built-in base models")
    assert client.post(f"/api/v1/jobs/{STOPPED['id']}/resume").status_code == 202
    job = until(lambda: _ended(client, STOPPED["id"]), 240, "the job ends", pause_s=0.5)
    log = (home / "jobs" / STOPPED["id"] / "a2" / "log.jsonl").read_text()
    assert (job["status"], job["error"]) == ("completed", ""), log[-3000:]
    assert f"checkpoint-{FIRST_STEPS}." in log
    assert (job["attempt"], job["step"], job["total_steps"]) == (2, STOPPED["total_steps"], STOPPED["total_steps"])
    curve = get(client, f"/jobs/{STOPPED['id']}/metrics")["series"]["loss"]
    assert curve[: len(before)] == before
    assert [step for step, _ in curve] == list(range(1, STOPPED["total_steps"] + 1))
    trail, earlier = (row["summary"]["samples"][0]["trail"] for row in (job, STOPPED))
    assert trail[: len(earlier)] == earlier
    assert [epoch for epoch, _ in trail[len(earlier) :]] == [float(epoch) for epoch in range(3, 13)]
    made = {line["name"]: line["version"] for line in get(client, "/adapters")["items"]}
    assert made == {"first-run": 1, "long-run": 1}


def _base_paths() -> set[str]:
    with db.session_scope() as session:
        return {model.path for model in session.exec(select(VideoModel))}


def _ended(client: TestClient, job_id: str) -> dict[str, Any] | None:
    job = get(client, f"/jobs/{job_id}")
    return job if job["status"] in ("completed", "failed", "stopped") else None
