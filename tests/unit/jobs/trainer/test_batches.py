"""Which clips make a batch: classes equally often, and no batch of a single clip where clips are compared."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from jobs.trainer.batches import BalancedSampler, WithoutLoneClip, leave_out_lone_clip
from jobs.trainer.run import train
from orchestrator.domain.recipes import leaves_lone_clip
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_retrievers import captioned
from tests.unit.jobs.trainer.test_run import losses, recorder_of, records

LABELS = ["usual"] * 900 + ["rare"] * 100


def test_classes_at_9_to_1_are_drawn_equally_often() -> None:
    sampler = BalancedSampler(LABELS, seed=7)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 1000
    counts = Counter(LABELS[index] for index in drawn)
    assert counts["rare"] == pytest.approx(500, abs=60)
    assert len(set(drawn[:100])) > 60  # not always the same ones


def test_what_is_drawn_follows_from_seed_and_epoch() -> None:
    first, again, other = (BalancedSampler(LABELS, seed) for seed in (7, 7, 8))
    epochs = [list(first) for _ in range(2)]
    assert epochs[0] != epochs[1]
    again.set_epoch(1)
    assert list(again) == epochs[1]
    assert list(other) not in epochs


@pytest.mark.parametrize(
    ("clips", "batch", "lone"), [(17, 8, True), (16, 8, False), (18, 8, False), (1, 8, False), (3, 1, False)]
)
def test_when_a_clip_is_left_alone(clips: int, batch: int, lone: bool) -> None:
    assert leaves_lone_clip(clips, batch) is lone


def test_the_lone_clip_is_left_out() -> None:
    loader: Any = DataLoader(list(range(9)), batch_size=4)  # type: ignore[arg-type]
    leave_out_lone_clip(loader)
    assert isinstance(loader.batch_sampler, WithoutLoneClip)
    assert len(loader) == 2
    assert [len(batch) for batch in loader] == [4, 4]
    assert loader.batch_sampler.batch_size == 4


@pytest.mark.slow
def test_a_retriever_makes_no_step_on_a_lone_clip(
    make_spec: MakeSpec, tmp_path: Path, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    """20 clips to learn from in batches of 19: one step an epoch, in which one of them is not seen; it resumes."""
    from tests.unit.jobs.trainer.test_plain_script import BUILTIN

    def make(name: str, attempt: int = 1) -> Any:
        made = make_spec(name, attempt, optim={"epochs": 3, "batch_size": 19})
        spec = captioned(made, BUILTIN / "retriever-tiny", "vision-text-dual-encoder")
        clips = [dataclasses.replace(clip, split="train" if clip.id <= 20 else "validation") for clip in spec.clips]
        return dataclasses.replace(spec, clips=clips)

    spec = make("whole")
    train(spec, recorder_of(spec), lambda: False)
    found = losses(spec)
    assert list(found) == [1, 2, 3]
    assert min(found.values()) > 0.01  # the loss of a single clip is 0
    assert any("with nothing to compare" in r.get("message", "") for r in records(spec))
    halves = make("halves")
    train(halves, recorder_of(halves), stop_after(2))
    again = make("halves", 2)
    train(again, recorder_of(again), lambda: False)
    assert losses(again) == pytest.approx(found, abs=1e-5)
