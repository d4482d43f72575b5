"""Two processes train one model through `accelerate launch`, on the processor: one writes, and they stop together."""

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.runs.trainer_process import TrainerProcess
from jobs.trainer.checkpoints import latest_complete_checkpoint
from jobs.trainer.run import train
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of


@contextmanager
def two_processes(spec: TrainSpec) -> Iterator[tuple[TrainerProcess, Callable[[], str]]]:
    """A trainer of two processes that has just started, and a function that returns its output so far."""
    folder = Path(spec.folder)
    spec.save(folder / "spec.json")
    trainer = TrainerProcess.start(folder / "spec.json", processes=2)
    blocks: list[bytes] = []
    reader = threading.Thread(target=lambda: blocks.extend(iter(lambda: os.read(trainer.output, 4096), b"")))
    reader.start()
    try:
        yield trainer, lambda: b"".join(blocks).decode()
    finally:
        trainer.kill()
        reader.join(5)


def train_with_two(spec: TrainSpec, stop_after: int = 0) -> str:
    """Two processes from beginning to end, or until so many steps are recorded; what they printed."""
    with two_processes(spec) as (trainer, output):
        until = time.monotonic() + 240
        while stop_after and len(_rank_output(spec)) < stop_after:
            assert trainer.wait(0.02) is None, output()
            assert time.monotonic() < until, output()
        if stop_after:
            trainer.ask_to_stop()
        assert trainer.wait(240) == 0, output()
        return output()


def check_they_were_as_one(spec: TrainSpec, printed: str) -> None:
    """What a run of two left that was asked to stop: one of them wrote, and both ended after the same step."""
    folder = Path(spec.folder)
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    trained = [record for record in records if record["kind"] == "metric" and record["phase"] == "train"]
    assert [record["step"] for record in trained] == list(range(1, len(trained) + 1)), "one of the two writes"
    assert trained[0]["total"] == 6 * 16 // (2 * 2 * 2), "a step sees two batches of each"
    assert json.loads((folder / "result.json").read_text())["status"] == "stopped"
    newest = latest_complete_checkpoint(folder / "checkpoints")
    assert newest is not None
    assert len(list(newest.glob("rng_state_*.pth"))) == 2, "what each needs to go on"
    assert printed.count("trainable parameters") == 1


def _rank_output(spec: TrainSpec) -> dict[int, float]:
    try:
        return losses(spec)
    except (OSError, ValueError):  # not there yet, or a line half written
        return {}


@pytest.mark.slow
def test_two_learn_what_one_learns_and_go_on(make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path) -> None:
    """Batches of two and two, gathered twice, are a batch of eight: with captions of any length, over a stop, too."""
    base = make_tiny("qwen2_vl", tmp_path / "base")
    captioned = [
        dataclasses.replace(c, label="", caption=f"it {c.label}" + " on and on" * (c.id % 4), split="train")
        for c in clips[:16]
    ]

    def spec_of(name: str, batch: int, gather: int) -> TrainSpec:
        optim = {"epochs": 6, "learning_rate": 1e-2, "batch_size": batch, "gradient_accumulation": gather}
        made = make_spec(name, optim=optim, qlora={"dropout": 0.0}, clips=captioned, data={"frames": 2, "size": 28})
        return dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family="qwen2_vl")

    alone = spec_of("alone", 8, 1)
    train(alone, recorder_of(alone), lambda: False)
    two = spec_of("two", 2, 2)
    check_they_were_as_one(two, train_with_two(two, stop_after=2))
    train_with_two(dataclasses.replace(two, attempt=2))
    assert len(losses(alone)) == 12
    assert losses(two) == pytest.approx(losses(alone), abs=2e-4)
