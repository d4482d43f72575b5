"""A rehearsal says what the run would say of its captions and clips, before anything is launched."""

import dataclasses
from pathlib import Path

import pytest

from jobs.trainer.rehearsal import rehearse
from orchestrator.domain.errors import Invalid
from orchestrator.services.training.rows import Preflight
from orchestrator.states.jobs.new_rows import make_plan
from tests.fakes.bases import make_base
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec
from tests.unit.jobs.trainer.test_retrievers import captioned

pytestmark = pytest.mark.slow


def test_truncated_captions_are_reported(make_spec: MakeSpec, tmp_path: Path) -> None:
    base = make_base("clip", tmp_path / "base")
    spec = captioned(make_spec(optim={"batch_size": 4}), base, "clip")
    assert rehearse(spec)["remarks"] == []
    long = [dataclasses.replace(clip, caption="on and on " * 99) if clip.id == 3 else clip for clip in spec.clips]
    found = rehearse(dataclasses.replace(spec, clips=long))
    (remark,) = found["remarks"]
    assert remark.startswith("1 caption is longer than the 24 tokens this base reads")
    assert remark.endswith(f"belongs to {long[2].name}.")
    plan = make_plan(Preflight(ok=True, problems=[], steps=1, measured=True, rehearsed=found), [])
    assert plan.remarks == [remark]


def test_a_caption_that_does_not_fit_is_refused_by_its_clip(make_spec: MakeSpec, tmp_path: Path) -> None:
    base = make_tiny("qwen2_vl", tmp_path / "base")
    data = {"frames": 4, "size": 56}
    spec = captioned(make_spec(optim={"batch_size": 2}, data=data), base, "qwen2_vl")
    long = [dataclasses.replace(clip, caption="on and on " * 400) if clip.id == 3 else clip for clip in spec.clips]
    with pytest.raises(Invalid, match=f"The caption of {long[2].name} takes") as refused:
        rehearse(dataclasses.replace(spec, task="captioning", clips=long))
    assert refused.value.field == "data.frames"


def test_a_class_without_training_clips_is_reported(make_spec: MakeSpec) -> None:
    spec = make_spec(optim={"batch_size": 4})
    other = dataclasses.replace(spec.clips[0], id=99, label="spinning", split="validation")
    marked = [dataclasses.replace(clip, split="validation" if clip.id > 20 else "train") for clip in spec.clips]
    names = ["blinking", "spinning", "zooming"]
    (remark,) = rehearse(dataclasses.replace(spec, clips=[*marked, other], class_names=names))["remarks"]
    assert "No clip to learn from shows 'spinning'" in remark
