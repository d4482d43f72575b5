"""Every example of the documentation does what it says, against a real API, worker and Redis."""

import json
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.users import Actor, Role
from orchestrator.services.auth.limits import forget_clients
from orchestrator.settings import ROOT, get_settings
from tests.api_client import sign_in
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, make_things, start_prep_worker, start_process, start_worker, until

EXAMPLES = ROOT / "docs" / "examples"
Processes = list[AnyProcess]


class Examples:
    """Runs the examples in one folder, as a reader would, and remembers which."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        self.folder, self.ran = folder, set[str]()
        self.environment = os.environ | {"LOREEL_URL": url, "LOREEL_TOKEN": token}

    def run(self, name: str, *arguments: str, **variables: str) -> str:
        """What it printed; fails the test when it fails."""
        self.ran.add(name)
        program = [sys.executable] if name.endswith(".py") else ["sh", "-e"]
        command = [*program, str(EXAMPLES / name), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | variables, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def examples(home: Path, redis_server: RedisProcess, processes: Processes, tmp_path: Path) -> Examples:
    forget_clients()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    target = ["--interface", "asgi", "--factory", "tests.fakes.quick_hashes:create_api", "--port", str(port)]
    processes.append(start_process("-m", "granian", *target))
    start_prep_worker(processes, home)
    get_settings().jobs_dir.mkdir(parents=True, exist_ok=True)
    (get_settings().jobs_dir / "fake.json").write_text(json.dumps({"adapter": True}))
    start_worker(processes, home)
    url = f"http://127.0.0.1:{port}"
    until(lambda: _workers(url) == 1, 60, "the API and the worker answer")
    token = sign_in("ada").post("/api/v1/tokens", json={"name": "docs", "scopes": ["read", "write"]}).json()["token"]
    return Examples(tmp_path, url, token)


def _workers(url: str) -> int:
    try:
        return httpx.get(f"{url}/api/v1/health").json()["workers"]
    except httpx.HTTPError:
        return 0


def _model(examples: Examples) -> str:
    """The id of a base that the stand-in trainer "trains"."""
    headers = {"Authorization": f"Bearer {examples.environment['LOREEL_TOKEN']}"}
    me = httpx.get(f"{examples.environment['LOREEL_URL']}/api/v1/me", headers=headers).json()
    return str(make_things(Actor(int(me["id"]), "ada", "", Role.ADMIN))[1])


def _zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "gestures.zip", "w") as archive:
        for label, motion in (("clapping", "circling"), ("waving", "zooming")):
            for number in range(3):
                clip = write_mp4(folder / f"{label}{number}.mp4", demo_frames(motion, number))
                archive.write(clip, f"{label}/{number}.mp4")


@pytest.mark.slow
def test_every_example_runs(examples: Examples) -> None:
    _zip(examples.folder)
    model = _model(examples)

    assert json.loads(examples.run("health.sh"))["status"] == "ok"
    assert "Tiny VideoMAE" in examples.run("lists.sh")
    dataset = json.loads(examples.run("upload.sh"))["id"]
    headers = {"Authorization": f"Bearer {examples.environment['LOREEL_TOKEN']}"}
    api = httpx.Client(base_url=f"{examples.environment['LOREEL_URL']}/api/v1", headers=headers)
    until(
        lambda: api.get(f"/datasets/{dataset}").json()["status"] == "ready",
        60,
        "the upload of upload.sh is read",
        pause_s=0.3,
    )
    assert api.get(f"/datasets/{dataset}").json()["clip_count"] == 6
    plan, job = map(json.loads, examples.run("train.sh", DATASET=dataset, MODEL=model).splitlines())
    assert plan["ok"]

    (examples.folder / "gestures.zip").rename(examples.folder / "more-gestures.zip")
    said = examples.run("upload.py", "more-gestures.zip")
    assert "6 clips, 0 left out" in said
    assert "Classes: clapping, waving" in said
    second = said.partition(":")[0].removeprefix("Dataset ")
    trained = examples.run("train.py", second, model)
    assert "completed at step 20" in trained
    made = trained.splitlines()[-1]
    with zipfile.ZipFile(examples.folder / made) as archive:
        assert any(name.endswith("adapter_model.safetensors") for name in archive.namelist())

    until(
        lambda: api.get(f"/jobs/{job['id']}").json()["status"] == "completed",
        60,
        "the job of train.sh ends",
        pause_s=0.3,
    )
    assert "gestures" in examples.run("adapter.sh", JOB=job["id"])
    assert zipfile.is_zipfile(examples.folder / "adapter.zip")
    assert "3 clips are greeting now, in version" in examples.run("relabel.py", second, "waving", "greeting")
    assert "from-python v1" in examples.run("best.py", "classification")

    assert examples.ran == {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh")}
