"""Two processes train one model through `accelerate launch`, on the processor: one writes, and they stop together."""

import json
import os
import threading
import time
from pathlib import Path

from jobs.trainer.checkpoints import newest_whole
from jobs.trainer_process import TrainerProcess
from tests.unit.jobs.trainer.conftest import MakeSpec


def test_two_train_and_stop_as_one(make_spec: MakeSpec) -> None:
    spec = make_spec("two", optim={"batch_size": 3, "epochs": 200})
    folder = Path(spec.folder)
    spec.save(folder / "spec.json")
    trainer = TrainerProcess.start(folder / "spec.json", processes=2)
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.extend(iter(lambda: os.read(trainer.output, 4096), b"")))
    reader.start()
    try:
        metrics = folder / "metrics.jsonl"
        until = time.monotonic() + 90
        while not (metrics.exists() and metrics.read_text().count('"train"') >= 3):
            assert trainer.wait(0.1) is None, b"".join(said).decode()
            assert time.monotonic() < until, b"".join(said).decode()
        trainer.ask_to_stop()
        assert trainer.wait(60) == 0, b"".join(said).decode()
    finally:
        trainer.kill()
        reader.join(5)
    records = [json.loads(line) for line in metrics.read_text().splitlines()]
    steps = [record["step"] for record in records if record["kind"] == "metric" and record["phase"] == "train"]
    assert steps == list(range(1, len(steps) + 1)), "one of the two writes"
    assert records[0]["total"] == 4 * 200, "a step sees a batch of each"
    assert json.loads((folder / "result.json").read_text())["status"] == "stopped"
    newest = newest_whole(folder / "checkpoints")
    assert newest is not None
    assert len(list(newest.glob("rng_state_*.pth"))) == 2, "what each needs to go on"
    assert b"".join(said).count(b"trainable parameters") == 1
