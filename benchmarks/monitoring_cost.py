"""CPU time of monitoring (files, stream, machine samples) as a share of a training step."""

import os
import statistics
import time
from pathlib import Path

import psutil

from benchmarks.ledger import ledger
from benchmarks.target import Target
from jobs.sinks.jsonl import JsonlSink
from jobs.sinks.recorder import Recorder
from jobs.sinks.redis_stream import RedisSink
from jobs.telemetry.device import find_device
from jobs.telemetry.sampler import MIN_INTERVAL_S, Sampler
from orchestrator.domain.redis_keys import LIVE_STREAM, STREAM_MAXLEN, job_stream
from orchestrator.settings import get_settings

TARGETS: dict[str, Target] = {"slowed_percent": {"max": 1.0}}
STEPS = 400
STEP_S = 0.15
"""CPU seconds of one step of the demo job (measured: 120 steps in 18 s of its own CPU time)."""


def run() -> dict[str, float]:
    """CPU time, not wall time, so that what else the machine does counts for nothing.

    `slowed_percent`: CPU seconds that a step's record costs the trainer, and that its samples cost in parallel, as a
    share of the CPU seconds of a demo step. The samples run in the watching process, so their part is an upper bound.
    """
    with ledger():
        folder = get_settings().jobs_dir / "1"
        folder.mkdir(parents=True)
        record = _record_cost(folder)
        sample = _sample_cost(folder)
    share = record / STEP_S + sample / MIN_INTERVAL_S
    return {
        "record_ms": round(record * 1000, 3),
        "sample_ms": round(sample * 1000, 2),
        "slowed_percent": round(share * 100, 3),
    }


def _cpu() -> float:
    times = psutil.Process(os.getpid()).cpu_times()
    return times.user + times.system


def _record_cost(folder: Path) -> float:
    """CPU seconds a step, the sink's own thread included; median of 5 rounds."""
    rounds = []
    for number in range(5):
        streams = [LIVE_STREAM, job_stream(1)]
        sink = RedisSink(get_settings().resolved_redis_url, streams, STREAM_MAXLEN, "stop")
        recorder = Recorder(1, 1, [JsonlSink(folder / "metrics.jsonl"), sink], first_seq=number * STEPS)
        began = _cpu()
        for step in range(1, STEPS + 1):
            values = {"loss": 1.0 / step, "learning_rate": 1e-3, "grad_norm": 1.0, "samples_per_s": 100.0}
            recorder.metric(step, STEPS, step / 40, values)
            time.sleep(0.01)  # as between steps: the sink sends each record by itself
        recorder.close()
        spent = _cpu() - began
        began = _cpu()
        for _ in range(STEPS):
            time.sleep(0.01)
        idle = _cpu() - began
        rounds.append(max(0.0, spent - idle) / STEPS)
    return statistics.median(rounds)


def _sample_cost(folder: Path) -> float:
    """CPU seconds of one look at the machine and at the run's processes."""
    sampler, device = Sampler(folder, 1, os.getpid()), find_device("cpu")
    began = _cpu()
    for _ in range(50):
        sampler._write(sampler._sample(device))
    return (_cpu() - began) / 50
