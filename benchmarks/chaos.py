"""Real trainings under fire: kill -9 of every process and FLUSHALL at random moments, then the books are checked."""

import itertools
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis

from benchmarks.studio import Studio, studio
from benchmarks.target import Target

TARGETS: dict[str, Target] = {
    "steps_lost": {"max": 0.0},
    "steps_trained_twice": {"max": 0.0},
    "jobs_not_finished": {"max": 0.0},
    "final_loss_differs": {"max": 0.0},
}
MINUTES = float(os.environ.get("LOREEL_CHAOS_MINUTES", "10"))
SEED = int(os.environ.get("LOREEL_CHAOS_SEED", "7"))
FATAL = ("worker", "horse", "trainer")
"""Each costs the job an attempt; a job has three, so it is struck twice at most."""
HARMLESS = ("controller", "web", "redis", "flushall")
PERSON = {"username": "chaos", "email": "chaos@example.org", "password": "a quiet lamp at dusk 7"}


@dataclass
class Books:
    """What went wrong, over all jobs."""

    strikes: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    lost: int = 0
    twice: int = 0
    unfinished: int = 0
    differs: int = 0


def run() -> dict[str, float]:
    """Counts; `strikes` says how often anything was struck. LOREEL_CHAOS_MINUTES: how long."""
    chance = random.Random(SEED)
    books = Books()
    with studio() as running, httpx.Client(base_url=f"{running.url}/api/v1", timeout=10) as web:
        web.headers["Origin"] = running.url
        web.post("/auth/signup", json=PERSON).raise_for_status()
        web.post("/auth/login", json={"login": PERSON["username"], "password": PERSON["password"]}).raise_for_status()
        body = _body(web)
        calm = _launch(web, body)
        _wait(web, calm)
        wanted = _curve(running, calm)
        until = time.monotonic() + MINUTES * 60
        while time.monotonic() < until:
            _one_job(running, web, body, chance, books, wanted)
    return {
        "jobs": float(books.jobs),
        "strikes": float(sum(books.strikes.values())),
        **{f"strikes_{name}": float(books.strikes[name]) for name in (*FATAL, *HARMLESS)},
        "steps_lost": float(books.lost),
        "steps_trained_twice": float(books.twice),
        "jobs_not_finished": float(books.unfinished),
        "final_loss_differs": float(books.differs),
    }


def _one_job(
    running: Studio,
    web: httpx.Client,
    body: dict[str, Any],
    chance: random.Random,
    books: Books,
    wanted: dict[int, float],
) -> None:
    job = _launch(web, body)
    books.jobs += 1
    plan = [chance.choice(FATAL), chance.choice(FATAL), *chance.sample(HARMLESS, 4)]
    chance.shuffle(plan)
    for name in plan:
        if not _wait_until_it_trains(web, job):
            break
        time.sleep(chance.uniform(0.0, 6.0))
        books.strikes[name] += _strike(running, name)
    if _wait(web, job) != "completed":
        books.unfinished += 1
        return
    got, attempts = _curve(running, job), _attempts(running, job)
    books.lost += len(set(wanted) - set(got))
    books.twice += sum(later < earlier for earlier, later in itertools.pairwise(attempts))
    books.differs += got.get(max(wanted)) != wanted[max(wanted)]


def _body(web: httpx.Client) -> dict[str, Any]:
    """The demo, once it is there, with three epochs."""
    for _ in range(600):
        datasets, models = _get(web, "/datasets")["items"], _get(web, "/models")["items"]
        ready = [one for one in datasets if one["status"] == "ready" and one["task"] == "classification"]
        fits = [one for one in models if one["model_type"] == "video_classification"]
        if ready and fits:
            optim = {"epochs": 3, "batch_size": 8}
            return {"dataset_id": ready[0]["id"], "model_id": fits[0]["id"], "optim": optim, "output_name": "chaos"}
        time.sleep(1.0)
    raise RuntimeError("The demo did not appear.")


def _get(web: httpx.Client, path: str) -> dict[str, Any]:
    """Patient: the web process may just have been killed."""
    for _ in range(120):
        try:
            answer = web.get(path)
            if answer.status_code == 200:
                return answer.json()
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"{path} did not answer for a minute.")


def _launch(web: httpx.Client, body: dict[str, Any]) -> str:
    key = {"Idempotency-Key": str(random.getrandbits(64))}
    for _ in range(120):
        try:
            answer = web.post("/jobs", json=body, headers=key)
            if answer.status_code == 201:
                return str(answer.json()["id"])
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError("No job could be launched for a minute.")


def _wait_until_it_trains(web: httpx.Client, job: str, limit_s: float = 180.0) -> bool:
    """False when it has ended."""
    deadline = time.monotonic() + limit_s
    before = -1
    while time.monotonic() < deadline:
        found = _get(web, f"/jobs/{job}")
        if found["status"] in ("completed", "failed", "stopped"):
            return False
        if found["status"] == "running" and before >= 0 and found["step"] != before:
            return True
        before = found["step"] if found["status"] == "running" else -1
        time.sleep(0.3)
    return True


def _wait(web: httpx.Client, job: str, limit_s: float = 600.0) -> str:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        status = str(_get(web, f"/jobs/{job}")["status"])
        if status in ("completed", "failed", "stopped"):
            return status
        time.sleep(0.5)
    return "unknown"


def _strike(running: Studio, name: str) -> int:
    """Kills it; 0 when it is not there to be killed."""
    if name == "flushall":
        redis.Redis(unix_socket_path=str(running.data_dir / "redis" / "redis.sock")).flushall()
        return 1
    try:
        process = _find(running, name)
        if process is None:
            return 0
        process.kill()
    except (psutil.Error, KeyError, OSError):
        return 0
    return 1


def _find(running: Studio, name: str) -> psutil.Process | None:
    if name in ("worker", "controller", "web", "redis"):
        return psutil.Process(running.pids[name])
    for process in psutil.Process(running.pids["worker"]).children(recursive=True):
        command = " ".join(process.cmdline())
        if "spec.json" in command or "jobs.trainer" in command:
            if process.num_threads() > 1 and name == "trainer":
                return process
            if name == "horse":
                parent = process.parent()
                if parent is not None and parent.pid != running.pids["worker"]:
                    return parent
    return None


def _records(running: Studio, job: str) -> list[dict[str, Any]]:
    path = Path(running.data_dir) / "jobs" / job / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def _curve(running: Studio, job: str) -> dict[int, float]:
    """The loss by step as it counts in the end: of the last attempt that trained the step."""
    metrics = [record for record in _records(running, job) if record["kind"] == "metric"]
    return {record["step"]: round(record["values"]["loss"], 5) for record in metrics if "loss" in record["values"]}


def _attempts(running: Studio, job: str) -> list[int]:
    return [record["attempt"] for record in _records(running, job)]
