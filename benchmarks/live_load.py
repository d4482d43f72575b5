"""Delay from a training step to the job pages of many watchers: 1 client, 200 on one job, 200 on fifty jobs."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psutil
from playwright.sync_api import sync_playwright
from sqlmodel import select

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.ledger import p95
from benchmarks.live import _WATCH
from benchmarks.studio import Studio, studio
from benchmarks.target import Target
from orchestrator.domain.base import utcnow
from orchestrator.domain.live_records import MetricRecord
from orchestrator.domain.redis_keys import job_lease
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import User
from orchestrator.services import db, live_events
from orchestrator.services.live_events import publish
from orchestrator.services.redis import connect
from orchestrator.settings import ROOT, get_settings

TARGETS: dict[str, Target] = {
    "browser_p95_ms": {"max": 100.0},
    "one_tab_p95_ms": {"max": 100.0},
    "tabs_on_one_job_p95_ms": {"max": 250.0},
    "tabs_on_many_jobs_p95_ms": {"max": 400.0},
    "web_cpu_share": {"max": 0.6},
    "points_missing": {"max": 0.0},
}
TABS = int(os.environ.get("LOREEL_BENCH_TABS", "200"))
SECONDS = float(os.environ.get("LOREEL_BENCH_SECONDS", "15"))
HERTZ = 2.0
"""Steps a second of each job."""
MANY = 50
PERSON = {"username": "bench", "email": "bench@example.org", "password": "a quiet lamp at dusk 7"}


@dataclass
class Found:
    """One scene: how late each point came to each tab, in ms; what never came; how much of a core the web took."""

    waits: list[float]
    missing: int
    cpu: float


def run() -> dict[str, float]:
    """p95 in milliseconds from a record leaving the trainer to its points being in a tab.

    The tabs are websockets that open the job page as the browser does (cookie, hydrate, on_load) and read the updates,
    in a process of their own; `browser`: a real chromium, to its chart's data. `web_cpu_share`: of one core, the larger
    of the two scenes with 200 tabs. Everything runs on the same machine.
    """
    with studio() as running, _inside(running):
        cookie = _sign_up(running.url)
        jobs = _running_jobs(MANY * 2 + 2)
        browser = _browser(running, cookie, jobs[0])
        one = _scene(running, cookie, jobs[1:2], 1)
        same = _scene(running, cookie, jobs[2:3], TABS)
        many = _scene(running, cookie, jobs[3 : 3 + MANY], TABS)
    return {
        "browser_p95_ms": round(p95(browser), 1),
        "one_tab_p95_ms": round(p95(one.waits), 1),
        "tabs_on_one_job_p95_ms": round(p95(same.waits), 1),
        "tabs_on_many_jobs_p95_ms": round(p95(many.waits), 1),
        "web_cpu_share_one_job": round(same.cpu, 3),
        "web_cpu_share": round(max(same.cpu, many.cpu), 3),
        "points_missing": float(one.missing + same.missing + many.missing),
    }


@contextmanager
def _inside(running: Studio) -> Iterator[None]:
    """This process writes into the running studio's ledger and Redis, as a worker of it would."""
    os.environ["LOREEL_DATA_DIR"] = str(running.data_dir)
    caches = (get_settings, db.engine, live_events._client)
    for cached in caches:
        cached.cache_clear()
    try:
        yield
    finally:
        db.engine().dispose()
        os.environ.pop("LOREEL_DATA_DIR")
        for cached in caches:
            cached.cache_clear()


def _sign_up(url: str) -> str:
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Origin": url}, timeout=30) as web:
        web.post("/auth/signup", json=PERSON).raise_for_status()
        web.post("/auth/login", json={"login": PERSON["username"], "password": PERSON["password"]}).raise_for_status()
        return "; ".join(f"{name}={value}" for name, value in web.cookies.items())


def _running_jobs(count: int) -> list[int]:
    """Jobs that count as running: their leases are held for the whole benchmark."""
    with db.session_scope() as session:
        owner = session.exec(select(User.id)).one() or 0
        jobs = [
            TrainingJob(
                owner_id=owner,
                name=f"run-{number}",
                dataset_name="motions",
                model_name="tiny",
                idempotency_key=str(number),
                status=JobStatus.RUNNING,
                attempt=1,
                recipe={"optim": {"epochs": 10}},
                total_steps=1_000,
                started_at=utcnow(),
            )
            for number in range(count)
        ]
        session.add_all(jobs)
        client = connect()
        session.flush()
        made = [job.id or 0 for job in jobs]
        for job_id in made:
            client.set(job_lease(job_id), "1", ex=3_600)
        return made


def _scene(running: Studio, cookie: str, jobs: list[int], tabs: int) -> Found:
    command = [sys.executable, "-m", "benchmarks.tabs", running.url, cookie, str(tabs), *map(str, jobs)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    ) as watching:
        assert watching.stdout
        assert watching.stdout.readline().strip() == "ready"
        time.sleep(1.0)
        before, began = _cpu(running), time.monotonic()
        sent = _train(jobs)
        cpu = (_cpu(running) - before) / (time.monotonic() - began)
        time.sleep(2.0)
        output, _ = watching.communicate("")
    arrived = json.loads(output)
    waits = [
        (at - sent[int(job), seq]) * 1000
        for job, first, last, at in arrived
        for seq in range(int(first), int(last) + 1)
    ]
    points = len(sent) * tabs // len(jobs)
    return Found(waits, points - len(waits), cpu)


def _train(jobs: list[int]) -> dict[tuple[int, int], float]:
    """Every job's trainer, each at its own moment of the beat; when each record left, by job and number."""
    sent: dict[tuple[int, int], float] = {}
    began = time.monotonic()
    for seq in range(1, int(SECONDS * HERTZ) + 1):
        for place, job in enumerate(jobs):
            due = began + (seq - 1 + place / len(jobs)) / HERTZ
            time.sleep(max(0.0, due - time.monotonic()))
            sent[job, seq] = time.time()
            values = {"loss": 1.0 / seq, "learning_rate": 1e-3, "grad_norm": 1.0, "samples_per_s": 40.0}
            record: MetricRecord = {
                "job": job,
                "attempt": 1,
                "seq": seq,
                "t": datetime.now(UTC).isoformat(),
                "kind": "metric",
                "step": seq,
                "total": 1_000,
                "epoch": seq / 100,
                "phase": "train",
                "values": values,
            }
            publish(record, keep=False)
    return sent


def _cpu(running: Studio) -> float:
    """Seconds of processor that the web process and its children took so far."""
    top = psutil.Process(running.pids["web"])
    return sum(sum(process.cpu_times()[:2]) for process in [top, *top.children(recursive=True)])


def _browser(running: Studio, cookie: str, job: int) -> list[float]:
    """One real tab: milliseconds from a record's leaving to the chart's having it."""
    with sync_playwright() as playwright:
        path = os.environ.get("LOREEL_TEST_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        context = browser.new_context()
        pairs = (pair.partition("=") for pair in cookie.split("; "))
        context.add_cookies([{"name": name, "value": value, "url": running.url} for name, _, value in pairs])
        page = context.new_page()
        page.add_init_script(f"({_WATCH})()")
        page.goto(f"{running.url}/jobs/{job}")
        page.locator("#loss-card").wait_for(timeout=60_000)
        time.sleep(3.0)
        sent = _train([job])
        time.sleep(2.0)
        arrivals = page.evaluate("() => window.__arrivals")
        browser.close()
    waits = []
    for (_, seq), at in sent.items():
        arrived = next((when for last, when in arrivals if last >= seq), None)
        if arrived is not None:
            waits.append(max(0.0, arrived - at * 1000))
    assert len(waits) > len(sent) // 2, "The chart did not move."
    return waits
