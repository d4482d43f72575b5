"""Clips of like length make a batch, in an order that a resumed run repeats."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.families.protocol import Plan
from jobs.families.registry import read_base
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.length_groups import LengthGroups, clip_lengths
from jobs.trainer.run import train
from jobs.trainer.setup import plan_run
from jobs.video.probe_clips import write_flickering
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.families.published import make_published
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_run import losses, recorder_of

LENGTHS = [10 * (number % 7) + number % 3 for number in range(60)]


def padding(order: list[int], batch: int = 4) -> int:
    """Tokens of padding in an epoch."""
    batches = [[LENGTHS[at] for at in order[start : start + batch]] for start in range(0, len(order), batch)]
    return sum(max(lengths) * len(lengths) - sum(lengths) for lengths in batches)


def test_an_epoch_has_each_clip_once_and_little_padding() -> None:
    groups = LengthGroups(LENGTHS, 4, seed=3)
    first = list(groups)
    assert sorted(first) == list(range(len(LENGTHS))) == sorted(range(len(groups)))
    assert padding(first) < padding(list(range(len(LENGTHS)))) / 2
    groups.set_epoch(1)
    second = list(groups)
    assert second != first
    again = LengthGroups(LENGTHS, 4, seed=3)
    again.set_epoch(1)
    assert list(again) == second
    assert list(LengthGroups(LENGTHS, 4, seed=4)) != first


def test_a_clip_counts_its_tokens_and_its_largest_text(tmp_path: Path) -> None:
    base = read_base(make_published("qwen2_vl", tmp_path))
    plan = Plan(base, parse_recipe({}), "captioning")
    known = ClipSpec(1, "/a.mp4", "", "it hops", "train", "", frames=40, width=112, height=56, duration_s=4.0)
    longer = dataclasses.replace(known, frames=400, duration_s=40.0)
    text = dataclasses.replace(known, caption="it hops " * 100)
    short, long, wordy, unknown = clip_lengths(plan, [known, longer, text, ClipSpec(2, "/b.mp4", "", "x", "", "")])
    assert short == 4 * 2 * 4 + len("Describe the video.it hops") // 4  # 8 frames, joined by two, of 2 x 4 tokens
    assert long == short + 12 * 2 * 4  # 32 frames at most
    assert wordy > short + 100
    assert unknown > long  # taken for a usual clip


def test_a_resumed_run_goes_on_with_the_same_batches(
    make_spec: MakeSpec, tmp_path: Path, stop_after: Callable[[int], Callable[[], bool]]
) -> None:
    base = make_published("qwen2_vl", tmp_path / "base")
    made: list[ClipSpec] = []
    for number in range(7):
        seconds = 1.0 + number
        path = write_flickering(tmp_path / f"{number}.mp4", 64, 64, seconds)
        made.append(
            ClipSpec(
                number + 1, str(path), "", f"it is clip {number}", "validation" if number == 4 else "train",
                hashlib.sha256(path.read_bytes()).hexdigest(), path.name,
                frames=round(seconds * 10), width=64, height=64, duration_s=seconds,
            )
        )  # fmt: skip

    def spec_of(name: str) -> TrainSpec:
        spec = make_spec(
            name,
            clips=made,
            optim={"epochs": 2, "batch_size": 2, "learning_rate": 1e-2},
            data={"group_by_length": True, "frame_tokens": 4, "min_frames": 2},
            qlora={"bits": 16},
            eval={"baseline": False, "clips": 1},
        )
        return dataclasses.replace(spec, task="captioning", class_names=[], model_path=str(base), family="qwen2_vl")

    complete, stopped = spec_of("complete"), spec_of("stopped")
    train(complete, recorder_of(complete), lambda: False)
    expected = losses(complete)
    assert len(expected) == 6
    assert train(stopped, recorder_of(stopped), stop_after(4)).status == "stopped"  # in the second epoch
    again = dataclasses.replace(stopped, attempt=2)
    assert train(again, recorder_of(again), lambda: False).status == "completed"
    assert losses(again) == pytest.approx(expected, abs=1e-5)


def test_other_bases_have_no_tokens_to_group_by(make_spec: MakeSpec) -> None:
    with pytest.raises(Invalid, match="different numbers of tokens") as refused:
        plan_run(make_spec(data={"group_by_length": True}))
    assert refused.value.field == "data.group_by_length"
