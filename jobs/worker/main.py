"""One worker process: claims a name, starts its companions, and works until it is asked to end."""

import argparse
import os
import secrets
import time

import structlog

from jobs.playground.process_supervisor import AnswerProcessSupervisor
from jobs.processes.parent_death import adopt_orphans, die_with_declared_parent
from jobs.telemetry.device import find_device
from jobs.worker.heartbeat import Heartbeat
from jobs.worker.prep_worker import PrepWorkerKeeper
from jobs.worker.prewarmed import TrainerPrewarmer
from jobs.worker.rq_worker import REDIS_ERRORS, Companions, LoreelWorker
from jobs.worker.worker_name import claim_name
from orchestrator.beats import Beat
from orchestrator.domain.machines import CPU, GPU, PREP
from orchestrator.logs import configure_logging
from orchestrator.private_files import keep_files_private
from orchestrator.release import NewerData, check_release
from orchestrator.services.db import when_available
from orchestrator.services.redis import connect
from orchestrator.settings import get_settings

log = structlog.get_logger()


def work(device_class: str, first: int, gpus: int | None, prep_worker: PrepWorkerKeeper | None = None) -> int:
    """Works until it is asked to end; the exit code.

    Args:
        device_class: auto, cpu, gpu or prep.
        first: the first GPU that it owns, from 0.
        gpus: how many it owns; None: all from `first` on.
    """
    device = find_device(device_class if device_class != PREP else CPU, first, gpus)
    if device_class == GPU and not device.gpus:
        log.error("worker.no_gpu", gpus=gpus, hint="No such GPU here, or the installed torch has no CUDA.")
        return 1
    if device_class == "auto":
        device_class = device.shape.kind
    if device.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(device.gpus)
    pool = device_class if device_class == PREP else device.shape.name
    current: list[LoreelWorker] = []
    beat = Beat(PREP if device_class == PREP else "worker")

    def claim() -> str:
        beat.touch()  # it lives, though the database is away
        return claim_name(device_class, first)

    name = when_available(claim)
    heartbeat = Heartbeat(name, device, device_class, os.getpid(), lambda: current[-1].current_job if current else None)
    if device_class == PREP:
        companions = Companions(heartbeat)
    else:
        prewarmer, playground = TrainerPrewarmer(heartbeat.guard), AnswerProcessSupervisor(name)
        companions = Companions(heartbeat, prewarmer, prep_worker, playground)
    started = [each for each in (heartbeat, companions.prewarmer, companions.playground) if each]
    for each in started:
        each.start()
    try:
        _work_until_stopped(pool, companions, current)
    finally:
        for each in reversed(started):
            each.stop()
    return 0


def _work_until_stopped(pool: str, companions: Companions, current: list[LoreelWorker]) -> None:
    """Runs RQ's loop, again after Redis was away for longer than its client waits.

    Args:
        current: holds the worker that runs now, for the heartbeat.
    """
    pause = 0.5
    while True:
        began = time.monotonic()
        try:
            # A new name each time: RQ refuses one whose killed owner has not expired yet.
            name = f"{companions.heartbeat.name}.{os.getpid()}.{secrets.token_hex(3)}"
            current[:] = [LoreelWorker(pool, companions, name=name, connection=connect())]
            current[-1].work(logging_level="WARNING")
        except REDIS_ERRORS as error:
            log.warning("worker.no_redis", error=str(error))
        if current and current[-1].stopping:
            return
        pause = 0.5 if time.monotonic() - began > 30 else min(pause * 2, 10.0)
        time.sleep(pause)


def _gpu_count(text: str) -> int | None:
    return None if text == "all" else max(1, int(text))


def main(arguments: list[str] | None = None) -> int:
    """`python -m jobs.worker [--device auto|cpu|gpu|prep] [--index N] [--gpus N|all] [--no-prep]`."""
    parser = argparse.ArgumentParser(prog="jobs.worker", description=__doc__)
    parser.add_argument("--device", choices=["auto", "cpu", "gpu", PREP], default="auto")
    parser.add_argument("--index", type=int, default=0, help="which GPU, from 0; the first of several")
    parser.add_argument(
        "--gpus", type=_gpu_count, default=1, help="how many GPUs it owns and may give to one job; all: every one"
    )
    parser.add_argument("--no-prep", action="store_true", help="do not start the second worker, which imports datasets")
    chosen = parser.parse_args(arguments)
    configure_logging(PREP if chosen.device == PREP else "worker")
    try:
        check_release(get_settings().data_dir)
    except NewerData as newer:
        log.error("worker.newer_data", hint=str(newer))
        return 1
    keep_files_private(get_settings().data_dir)
    die_with_declared_parent()
    adopt_orphans()
    prep_worker = PrepWorkerKeeper() if chosen.device != PREP and not chosen.no_prep else None
    if prep_worker:
        prep_worker.start()
    try:
        return work(chosen.device, chosen.index, chosen.gpus, prep_worker)
    finally:
        if prep_worker:
            prep_worker.stop()
