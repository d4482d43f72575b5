"""Where no loader process decodes, threads fill the frame cache during the steps, and the run says how far they are."""

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from jobs.families.registry import read_base, resolve
from jobs.runs.clip_spec import ClipSpec
from jobs.sinks.recorder import Recorder
from jobs.trainer import data, device_settings
from jobs.trainer.data import PrefetchProgress, RunData, load_data
from jobs.trainer.learned_texts import read_annotations
from jobs.trainer.setup import build_plan
from jobs.trainer.split import Split
from jobs.trainer.stopping import StopRequested, StopSignal
from jobs.video.source import BadClip
from orchestrator.domain.live_records import Stage
from orchestrator.domain.recipes import parse_recipe
from tests.unit.jobs.conftest import BASE
from tests.unit.jobs.trainer.conftest import MakeSpec

SAID = cast("tuple[TrainingArguments, TrainerState, TrainerControl]", (None, None, None))


def loaded(make_spec: MakeSpec, clips: list[ClipSpec], model: Any = None, stop: StopSignal | None = None) -> RunData:
    """`model` None: that of a family whose vision encoder is trained, which is not asked for anything."""
    spec, base = make_spec(), read_base(BASE)
    sides = Split(tuple(clips[:6]), tuple(clips[6:8]))
    plan = build_plan(spec, parse_recipe(spec.recipe), base, sides, read_annotations(sides))
    return load_data(spec, plan, resolve(base), model, sides, Recorder(0, 0, []), stop or StopSignal())


class CountingEncoder:
    """A frozen vision encoder that counts the clips it encodes."""

    key = "counting"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, frames: Any, timing: Any) -> dict[str, torch.Tensor]:
        self.encoded += 1
        return {"mean": torch.tensor(frames, dtype=torch.float32).mean()[None]}


def test_only_one_clip_is_encoded_before_the_first_step(
    make_spec: MakeSpec, clips: list[ClipSpec], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder, family = CountingEncoder(), resolve(read_base(BASE))
    monkeypatch.setattr(type(family), "vision_encoder", lambda *_: encoder)
    model: Any = torch.nn.Linear(1, 1)
    found = loaded(make_spec, clips, model)
    assert encoder.encoded == 1
    assert "for 8 clips. All fit into the cache" in capsys.readouterr().out
    with found.background():
        items = [*found.training.__getitems__([5, 1, 5]), found.training[0], *(found.validation[i] for i in range(2))]
    assert encoder.encoded == 5
    assert all("features" in item for item in items)
    stop = StopSignal(lambda: True)
    with pytest.raises(StopRequested):
        loaded(make_spec, clips, model, stop)
    assert stop.stopped_in is Stage.FEATURES


def test_frames_are_decoded_during_the_steps(
    make_spec: MakeSpec, clips: list[ClipSpec], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(data, "_PROGRESS_S", 0.0)
    found = loaded(make_spec, clips)
    teller = PrefetchProgress(found.ahead, Recorder(0, 0, []))
    teller.on_step_end(*SAID)
    assert capsys.readouterr().out == "Frame cache: 0 of 8 clips.\n"
    with found.ahead:
        found.ahead.wait()
    assert len(list((Path(make_spec().cache_dir) / "frames").rglob("*.npy"))) == 8
    teller.on_step_end(*SAID)
    assert capsys.readouterr().out == ""
    found.ahead.problem = BadClip("a.mp4", "stops decoding.")
    with pytest.raises(BadClip, match=r"a\.mp4"):
        teller.on_step_end(*SAID)
    # Loader processes are forked, which a process with threads must not be.
    monkeypatch.setattr(device_settings, "loader_workers", lambda *_: 2)
    assert not loaded(make_spec, clips).ahead._threads
