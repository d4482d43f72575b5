"""How late a step reaches the pages when many watch: one tab, 200 tabs on one job, 200 tabs on fifty jobs."""

import asyncio
import os
import time
from typing import Any

import psutil

from benchmarks.ledger import ledger, p95
from benchmarks.target import Target
from orchestrator.services.announce import broadcast
from orchestrator.services.live import LiveHub
from orchestrator.states.job_live import Follower
from orchestrator.states.live import sips

TARGETS: dict[str, Target] = {
    "one_tab_p95_ms": {"max": 100.0},
    "tabs_on_one_job_p95_ms": {"max": 250.0},
    "tabs_on_many_jobs_p95_ms": {"max": 400.0},
    "cpu_share": {"max": 0.6},
}
SECONDS = 10.0
HERTZ = 2.0
"""Steps a second of each job."""


def run() -> dict[str, float]:
    """p95 in milliseconds from a record leaving the trainer to a tab's chart data being ready in the web process.

    Hub and followers run as in the web process, without its websockets; the way through the network into a real browser
    is measured by `live`, for one tab. `cpu_share`: of one core, the trainers' own part included.
    """
    with ledger():
        one, _ = asyncio.run(_measure(tabs=1, jobs=1))
        same, same_cpu = asyncio.run(_measure(tabs=200, jobs=1))
        many, many_cpu = asyncio.run(_measure(tabs=200, jobs=50))
    return {
        "one_tab_p95_ms": round(p95(one), 1),
        "tabs_on_one_job_p95_ms": round(p95(same), 1),
        "tabs_on_many_jobs_p95_ms": round(p95(many), 1),
        "cpu_share": round(max(same_cpu, many_cpu), 3),
    }


async def _measure(tabs: int, jobs: int) -> tuple[list[float], float]:
    hub = LiveHub()
    await hub.start()
    waits: list[float] = []
    listeners = [asyncio.create_task(_tab(hub, 1 + number % jobs, waits)) for number in range(tabs)]
    await asyncio.sleep(0.5)
    process = psutil.Process(os.getpid())
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    await asyncio.to_thread(_train, jobs)
    cpu = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    await hub.stop()
    return waits, cpu


async def _tab(hub: LiveHub, job_id: int, waits: list[float]) -> None:
    """What the job page does with each group of records."""
    subscription, follower = await hub.listen(job_id), Follower()
    async for records in sips(subscription):
        news = follower.take(records)
        if news.points:
            follower.batch(news.points)
            now = time.time()
            waits.extend((now - record["at"]) * 1000 for record in records)


def _train(jobs: int) -> None:
    """Every job's trainer, each at its own moment of the beat."""
    for step in range(1, int(SECONDS * HERTZ) + 1):
        for job in range(1, jobs + 1):
            values: dict[str, Any] = {"loss": 1.0 / step, "learning_rate": 1e-3, "grad_norm": 1.0}
            broadcast(job, "metric", step=step, total=1_000, at=time.time(), values=values, seq=step)
            time.sleep(1.0 / HERTZ / jobs)
