"""Runs the trainer on a spec file: opens the sinks, trains, and writes `result.json`."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from jobs.runs.spec import TrainSpec
from jobs.sinks.jsonl import JsonlSink, last_seq
from jobs.sinks.protocol import Sink
from jobs.sinks.recorder import Recorder
from jobs.sinks.redis_stream import RedisSink
from jobs.trainer.distributed import is_main_process, leave_process_group
from jobs.trainer.run import train
from jobs.trainer.train_result import failed_result, write_result
from orchestrator.domain.errors import Invalid
from orchestrator.domain.job_files import METRICS, RESULT, TENSORBOARD
from orchestrator.domain.processes import RUN_REDIS_URL


def main(path: Path) -> int:
    """Reads the spec, trains, writes `result.json`; the exit code is 0 unless the run failed."""
    try:
        spec = TrainSpec.load(path)
    except Invalid as error:
        write_result(path.with_name(RESULT), int(json.loads(path.read_text())["attempt"]), failed_result(error))
        return 1
    folder = Path(spec.folder)
    if spec.gpus:
        # torch reads it when it first asks for a GPU, so this holds for a trainer that was imported before, too.
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(spec.gpus)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    metrics = folder / METRICS
    sinks: list[Sink] = [JsonlSink(metrics)] if is_main_process() else []
    live: RedisSink | None = None
    if redis_url := os.environ.get(RUN_REDIS_URL):
        streams = [name for name in (spec.live_stream, spec.job_stream) if name and is_main_process()]
        live = RedisSink(redis_url, streams, spec.stream_maxlen, spec.stop_key)
        sinks.append(live)
    sinks += _trackers(spec)
    first_seq = max(last_seq(metrics), spec.first_seq)
    recorder = Recorder(spec.job_id, spec.attempt, sinks, first_seq, quiet=not is_main_process())
    try:
        result = train(spec, recorder, lambda: asked.is_set() or bool(live and live.stop_asked))
    except BaseException as error:
        result = failed_result(error)
        recorder.log(result.error, "error")
        if result.details:
            recorder.log(result.details, "error")
    recorder.close()
    leave_process_group()
    if is_main_process():
        _write_tensorboard(metrics, folder / TENSORBOARD)
    if is_main_process() or result.status == "failed":
        write_result(folder / RESULT, spec.attempt, result)
    return 1 if result.status == "failed" else 0


def _trackers(spec: TrainSpec) -> Sequence[Sink]:
    """The experiment trackers that the operator configured."""
    if not spec.trackers or not is_main_process():
        return ()
    from jobs.sinks.trackers import flat, trackers

    facts = {"base": spec.model_name, "dataset": spec.dataset_name, **flat(spec.recipe)}
    name = f"{spec.name}-job-{spec.job_id}"
    return trackers(spec.trackers, name, facts, lambda message: print(f"WARNING: {message}", flush=True))  # noqa: T201


def _write_tensorboard(metrics: Path, folder: Path) -> None:
    try:
        from jobs.sinks.tensorboard import write_events

        if metrics.exists():
            write_events(metrics, folder)
    except Exception as error:  # optional files for TensorBoard must not fail a finished run
        print(f"WARNING: no TensorBoard file was written: {error}", flush=True)  # noqa: T201
