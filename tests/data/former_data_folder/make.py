"""Makes the archive in this folder: drives a checkout of a former version over its REST API and keeps what it stored.

`python make.py CHECKOUT VERSION` needs that checkout's requirements and a `redis-server`. Nothing of the product is
imported, so that the script drives any version.
"""

import base64
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import psutil

HERE = Path(__file__).resolve().parent
PORT, REDIS_PORT = 38411, 38412
PASSWORD = "four-plain-words-here"
RECIPE: dict[str, Any] = {
    "optim": {"batch_size": 4, "epochs": 2, "seed": 3},
    "qlora": {"r": 2, "alpha": 4, "target_modules": ["query", "value"]},
    "data": {"validation_share": 0.25},
}


def main(checkout: Path, version: str) -> None:
    """Starts the former version on an empty folder, uses it, ends it, and packs the folder."""
    folder = checkout / "data"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with running(checkout, folder):
        facts = use(httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=60.0), folder)
    shrink(folder)
    (HERE / f"facts-{version}.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    with tarfile.open(HERE / f"data-{version}.tar.xz", "w:xz", preset=9) as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=without_owner)


def without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The checkout that made the folder is not part of it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


@contextmanager
def running(checkout: Path, folder: Path) -> Any:
    """Redis, the web's REST, the controller and two workers of the checkout."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LOREEL_")}
    env |= {
        "LOREEL_DATA_DIR": str(folder),
        "LOREEL_REDIS_URL": f"redis://127.0.0.1:{REDIS_PORT}/0",
        "LOREEL_WORKER_NAME": "workstation",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(checkout),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        quiet = subprocess.DEVNULL
        started.append(
            subprocess.Popen(command, cwd=checkout, env=env, stdout=quiet, stderr=quiet, start_new_session=True)
        )

    python = [sys.executable, "-m"]
    try:
        start("redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp")
        subprocess.run([*python, "alembic", "upgrade", "head"], cwd=checkout, env=env, check=True)
        api = ["--interface", "asgi", "--factory", "orchestrator.api.app:create_api", "--port", str(PORT)]
        start(*python, "granian", *api)
        start(*python, "jobs.controller")
        start(*python, "jobs.worker", "--device", "cpu", "--no-prep")
        start(*python, "jobs.worker", "--device", "prep")
        yield
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def use(client: httpx.Client, folder: Path) -> dict[str, Any]:
    """Everything that a person did with the former version; what its REST said of it at the end."""
    client.headers["origin"] = str(client.base_url).rstrip("/")
    until(lambda: answers(client), "the API answers")
    account = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
    call(client, "POST", "/auth/signup", json=account)
    call(client, "POST", "/auth/login", json={"login": "ada", "password": PASSWORD})
    bases = until(lambda: call(client, "GET", "/models")["items"], "the built-in bases are registered")
    base = next(model for model in bases if model["name"] == "Tiny VideoMAE")
    until(lambda: all(row["status"] == "ready" for row in datasets(client)), "the demo is drawn")
    for row in datasets(client):
        call(client, "DELETE", f"/datasets/{row['id']}")
    dataset = upload_clips(client, folder)
    body = {"dataset_id": dataset, "model_id": base["id"]}
    done = launch(client, body, "first-run", 2)
    ended(client, done, "completed")
    stopped = launch(client, body, "long-run", 12)
    until(lambda: call(client, "GET", f"/jobs/{stopped}")["step"] >= 4, "some steps are trained")
    call(client, "POST", f"/jobs/{stopped}/stop")
    ended(client, stopped, "stopped")
    lost = launch(client, body, "lost-run", 12)
    for attempt in (1, 2, 3):
        kill_trainer(lambda attempt=attempt: call(client, "GET", f"/jobs/{lost}")["attempt"] == attempt)
    ended(client, lost, "failed")
    return {
        "datasets": datasets(client),
        "clips": call(client, "GET", f"/datasets/{dataset}/clips")["items"],
        "jobs": [call(client, "GET", f"/jobs/{job}") for job in (done, stopped, lost)],
        "timelines": {job: call(client, "GET", f"/jobs/{job}/timeline")["items"] for job in (done, stopped, lost)},
        "adapters": call(client, "GET", "/adapters")["items"],
        "loss": call(client, "GET", f"/jobs/{done}/metrics")["series"]["loss"],
    }


def call(client: httpx.Client, method: str, path: str, **kwargs: Any) -> Any:
    """The JSON of a REST answer that must be a good one."""
    answer = client.request(method, f"/api/v1{path}", **kwargs)
    if answer.status_code >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


def datasets(client: httpx.Client) -> list[dict[str, Any]]:
    """The datasets of the account."""
    return call(client, "GET", "/datasets")["items"]


def answers(client: httpx.Client) -> bool:
    """True once the API is up."""
    try:
        return client.get("/api/openapi.json").status_code == 200
    except httpx.TransportError:
        return False


def upload_clips(client: httpx.Client, folder: Path) -> str:
    """Eight clips in two folders, one of them once more under another name, and a damaged one."""
    dataset = call(client, "POST", "/datasets", json={"name": "Squares"})["id"]
    drawn = folder / "drawn"
    for name, step in (("slow", 1), ("fast", 4)):
        for index in range(4):
            draw(drawn / name / f"{name}-{index}.mp4", shade=index * 17, step=step)
    shutil.copyfile(drawn / "slow" / "slow-0.mp4", drawn / "slow" / "slow-again.mp4")
    half = (drawn / "fast" / "fast-0.mp4").read_bytes()
    (drawn / "fast" / "fast-broken.mp4").write_bytes(half[: len(half) // 2])
    for path in sorted(drawn.rglob("*.mp4")):
        send(client, dataset, path.relative_to(drawn).as_posix(), path.read_bytes())
    shutil.rmtree(drawn)
    call(client, "POST", f"/datasets/{dataset}/ingest")
    until(lambda: call(client, "GET", f"/datasets/{dataset}")["status"] == "ready", "the clips are read")
    return dataset


def send(client: httpx.Client, dataset: str, name: str, data: bytes) -> None:
    """One file over tus."""
    facts = {"filename": name, "dataset_id": dataset}
    told = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in facts.items())
    head = {"Tus-Resumable": "1.0.0"}
    begun = client.post(
        "/api/v1/uploads", headers=head | {"Upload-Length": str(len(data)), "Upload-Metadata": told}
    ).raise_for_status()
    kind = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    client.patch(begun.headers["location"], headers=head | kind, content=data).raise_for_status()


def draw(path: Path, shade: int, step: int) -> None:
    """A square that moves `step` pixels a frame on a flat ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for frame in range(16):
            picture = np.full((64, 64, 3), 30 + shade, dtype=np.uint8)
            left = (4 + frame * step) % 48
            picture[24:40, left : left + 16] = (240, 160, 60)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def launch(client: httpx.Client, body: dict[str, Any], name: str, epochs: int) -> str:
    """Launches a training; its id."""
    optim = RECIPE["optim"] | {"epochs": epochs}
    return call(client, "POST", "/jobs", json=body | RECIPE | {"optim": optim, "output_name": name})["id"]


def ended(client: httpx.Client, job: str, status: str) -> None:
    """Waits for the end that is expected."""
    final = ("completed", "failed", "stopped")
    until(lambda: call(client, "GET", f"/jobs/{job}")["status"] in final, f"job {job} ends")
    row = call(client, "GET", f"/jobs/{job}")
    if row["status"] != status:
        raise RuntimeError(f"Job {job} is {row['status']}: {row['error']} {row.get('error_details')}")


def kill_trainer(runs: Callable[[], bool]) -> None:
    """Takes the trainer away before it can write a checkpoint, as a machine that is taken away does."""
    until(runs, "the attempt runs")

    def found() -> list[psutil.Process]:
        trainers = [p for p in psutil.Process().children(recursive=True) if "jobs.trainer" in " ".join(p.cmdline())]
        return [p for p in trainers if any("spec.json" in f.path for f in p.open_files())] or trainers

    until(found, "the trainer lives")[0].kill()


def until(condition: Callable[[], Any], what: str, limit_s: float = 300.0) -> Any:
    """Waits until the condition holds and gives its value."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.1)
    return value


def shrink(folder: Path) -> None:
    """Leaves out what the product makes again by itself, and the copy of the built-in base in each adapter."""
    with sqlite3.connect(folder / "loreel.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("VACUUM")
    for name in ("cache", "redis", "logs", "uploads", "run.json"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in [*folder.glob("loreel.db-*"), *folder.glob("jobs/*/adapter/base/model.safetensors")]:
        path.unlink()
    for path in [*folder.glob("jobs/*/tensorboard"), *folder.glob("storage/demo")]:
        shutil.rmtree(path)
    for job in folder.glob("jobs/*/checkpoints"):
        for path in sorted(job.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))[:-1]:
            shutil.rmtree(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
