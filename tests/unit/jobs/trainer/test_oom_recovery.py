"""A run whose memory runs out goes on with less at a time from its last complete checkpoint, and says so."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors import SafetensorError

from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.checkpoints import disk_is_full, latest_complete_checkpoint
from jobs.trainer.entrypoint import main
from jobs.trainer.hf_trainer import VideoTrainer
from jobs.trainer.oom_recovery import (
    MemorySettings,
    OutOfMemory,
    is_out_of_memory,
    load_settings,
    reduce_memory,
    requested_settings,
    save_settings,
)
from jobs.trainer.run import train
from orchestrator.domain.failures import FailureKind
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

NO_ROOM = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def real_memory_error() -> RuntimeError:
    """What torch really says on a CPU."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    return caught.value


def test_what_counts_as_out_of_memory() -> None:
    assert is_out_of_memory(real_memory_error())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(OSError(12, "Cannot allocate memory"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


def test_the_steps_down_keep_the_clips_of_a_step(tmp_path: Path) -> None:
    asked = parse_recipe({"optim": {"batch_size": 6, "gradient_accumulation": 2}})
    now = requested_settings(asked)
    for step in (MemorySettings(3, 4), MemorySettings(1, 12), MemorySettings(1, 12, True)):
        now = reduce_memory(now, is_contrastive=False, can_checkpoint=True)
        assert now == step
    with pytest.raises(OutOfMemory, match=r"even with 1 clip at a time.*fewer frames") as caught:
        reduce_memory(now, is_contrastive=False, can_checkpoint=True)
    assert caught.value.field == "data.frames"
    # A retriever's batch is what it learns from: it is encoded in parts, and compared as a whole.
    now = requested_settings(asked)
    for step in (MemorySettings(6, 2, chunk=3), MemorySettings(6, 2, chunk=1), MemorySettings(6, 2, True, 1)):
        now = reduce_memory(now, is_contrastive=True, can_checkpoint=True)
        assert now == step
        assert (now.on(asked).optim.batch_size, now.on(asked).optim.chunk_size) == (6, step.chunk)
    with pytest.raises(OutOfMemory, match="smaller batch size"):
        reduce_memory(now, is_contrastive=True, can_checkpoint=True)
    save_settings(tmp_path, MemorySettings(3, 4))
    assert load_settings(tmp_path, asked) == MemorySettings(3, 4)
    other = parse_recipe({"optim": {"batch_size": 8}})
    assert load_settings(tmp_path, other) == requested_settings(other)


def test_a_full_disk_is_known_by_whoever_says_so(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(RuntimeError) as caught:
        torch.save(torch.zeros(99_999), full)
    assert disk_is_full(caught.value)
    assert disk_is_full(NO_ROOM)
    assert disk_is_full(OSError(122, "Disk quota exceeded"))
    assert not disk_is_full(RuntimeError("shape mismatch"))


class Limit:
    """A device with room for so many clips at a time, from a step on; `kept`: where activations are kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clips, self.kept, self.after, self.seen = 99, 99, 0, list[int]()
        forward = PeftModel.forward

        def limited(model: Any, *args: Any, **given: Any) -> Any:
            count = len(given["input_ids"])
            if model.training:
                self.seen.append(count)
                room = self.clips if model.get_base_model().is_gradient_checkpointing else min(self.clips, self.kept)
                if count > room and len(self.seen) > self.after:
                    raise real_memory_error()
            return forward(model, *args, **given)

        monkeypatch.setattr(PeftModel, "forward", limited)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    return Limit(monkeypatch)


@pytest.fixture
def spec(make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path) -> TrainSpec:
    """Sentences of different lengths: the mean of a batch is not the mean of its parts' means."""
    base = make_tiny("qwen2_vl", tmp_path / "base")
    said = [
        dataclasses.replace(c, label="", caption=f"it {c.label}" + " on and on" * (c.id % 4), split="train")
        for c in clips[:8]
    ]
    optim = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 4}
    made = make_spec(optim=optim, qlora={"dropout": 0.0}, clips=said, data={"frames": 2, "size": 28})
    return dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family="qwen2_vl")


def again(spec: TrainSpec, name: str, **changes: Any) -> TrainSpec:
    folder = Path(spec.folder).with_name(name)
    folder.mkdir(exist_ok=True)
    return dataclasses.replace(spec, folder=str(folder), **changes)


def notes(spec: TrainSpec) -> list[str]:
    return [r["message"] for r in records(spec) if r["kind"] == "note" and r["name"] == "memory"]


@pytest.mark.slow
def test_it_goes_on_with_the_same_clips_a_step(spec: TrainSpec, limit: Limit) -> None:
    train(spec, recorder_of(spec), lambda: False)
    expected = losses(spec)
    # The memory runs out in the second epoch: it goes on from the checkpoint of the first.
    limit.clips, limit.after, limit.seen = 2, 3, []
    smaller = again(spec, "smaller")
    assert train(smaller, recorder_of(smaller), lambda: False).status == "completed"
    assert notes(smaller) == ["The memory ran out. Going on with 2 clips at a time, 2 times a step."]
    assert limit.seen == [4, 4, 4, 4, 2, 2, 2, 2]
    assert losses(smaller) == pytest.approx(expected, abs=1e-4)
    assert "Batch | 2 x 2" in (Path(smaller.folder) / "adapter" / "README.md").read_text()


@pytest.mark.slow
def test_a_resumed_run_keeps_the_smaller_batch(
    spec: TrainSpec, limit: Limit, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    limit.clips = 2
    assert train(spec, recorder_of(spec), stop_after(3)).status == "stopped"
    limit.seen = []
    resumed = dataclasses.replace(spec, attempt=2)
    assert train(resumed, recorder_of(resumed), lambda: False).status == "completed"
    assert set(limit.seen) == {2}


@pytest.mark.slow
def test_checkpointing_comes_next_then_it_fails_with_the_field(spec: TrainSpec, limit: Limit) -> None:
    limit.kept = 0
    kept = again(spec, "kept")
    assert train(kept, recorder_of(kept), lambda: False).status == "completed"
    assert notes(kept)[-1].endswith("1 clip at a time, 4 times a step, activations computed again instead of kept.")
    limit.clips = 0
    folder = Path(spec.folder)
    spec.save(folder / "spec.json")
    assert main(folder / "spec.json") == 1
    result = json.loads((folder / "result.json").read_text())
    assert "Use fewer frames" in result["error"]
    assert result["failure"] == FailureKind.NOTHING_LEFT_TO_DIVIDE
    assert len(notes(spec)) == 3


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_checkpoint(spec: TrainSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    save, calls = VideoTrainer._save_optimizer_and_scheduler, list[int]()

    def full(trainer: VideoTrainer, folder: str) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise NO_ROOM
        save(trainer, folder)

    monkeypatch.setattr(VideoTrainer, "_save_optimizer_and_scheduler", full)
    folder = Path(spec.folder)
    spec.save(folder / "spec.json")
    assert main(folder / "spec.json") == 1
    result = json.loads((folder / "result.json").read_text())
    assert result["error"].startswith("The disk is full.")
    assert result["failure"] == FailureKind.DISK_FULL
    newest = latest_complete_checkpoint(folder / "checkpoints")
    assert newest is not None
    assert newest.name == "checkpoint-2"
    resumed = dataclasses.replace(spec, attempt=2)
    assert train(resumed, recorder_of(resumed), lambda: False).status == "completed"
