"""A merged model gives what base and adapter gave, and a script with transformers alone runs it."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from jobs.adapters.merge import merge
from jobs.bases.captioner_captions import word_tokenizer
from jobs.bases.pretrain_captioner import build, export
from jobs.families.protocol import Plan
from jobs.families.registry import read_base, resolve
from jobs.families.weights import check_weights_fit
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.inspect import inspect_model
from tests.fakes.bases import make_base
from tests.forked_programs import TRANSFORMERS, run_program
from tests.unit.jobs.families.tiny_llms import make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec, clips, make_spec
from tests.unit.jobs.trainer.test_retrievers import captioned
from tests.unit.jobs.trainer.test_run import recorder_of

__all__ = ["clips", "make_spec"]

pytestmark = pytest.mark.slow


def merged_of(spec: TrainSpec) -> Path:
    train(spec, recorder_of(spec), lambda: False)
    stages: list[str] = []
    folder = Path(spec.folder)
    recipe = parse_recipe(spec.recipe)
    base, target = Path(spec.model_path), folder / "merged"
    done = merge(folder / "adapter", base, recipe, spec.task, target, lambda stage, _: not stages.append(stage))
    assert (done, stages) == (target, ["loading", "merging", "writing"])
    assert not list(folder.glob(".merged*"))
    with safe_open(target / "model.safetensors", framework="pt") as opened:
        kinds = {opened.get_tensor(name).dtype for name in opened.keys()}  # noqa: SIM118
    assert kinds == {torch.bfloat16}
    assert "quantization_config" not in json.loads((target / "config.json").read_text())
    check_weights_fit(
        resolve(read_base(target)).model_class, read_base(target)
    )  # so that it can be added to the models
    return target


def card_output(folder: Path, clips: Sequence[ClipSpec], reported: list[dict], *words: str) -> list[list[str]]:
    """The program of the card, run where neither peft nor bitsandbytes can be imported."""
    card = (folder / "README.md").read_text()
    assert "library_name: transformers" in card
    program = card.split("```python\n")[1].split("```")[0]
    barred = "import sys\nsys.modules['peft'] = sys.modules['bitsandbytes'] = None\n"
    (folder / "run.py").write_text(barred + program)
    paths = {clip.id: clip.path for clip in clips}
    done = run_program(TRANSFORMERS, folder / "run.py", *words, *(paths[row["clip_id"]] for row in reported))
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]


def test_a_merged_classifier_says_the_same(make_spec: MakeSpec, clips: list[ClipSpec]) -> None:
    spec = make_spec(optim={"epochs": 6})
    folder = merged_of(spec)
    reported = json.loads((Path(spec.folder) / "adapter" / "predictions.json").read_text())
    lines = card_output(folder, clips, reported)
    assert [line[1] for line in lines] == [row["predicted"] for row in reported]
    assert [float(line[2]) for line in lines] == pytest.approx([row["confidence"] for row in reported], abs=0.03)
    facts = inspect_model(folder)
    assert (facts.family, facts.model_type) == ("videomae", "video_classification")


def test_a_merged_captioner_keeps_its_new_words(make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path) -> None:
    torch.manual_seed(0)
    base = tmp_path / "base"
    export(build(), word_tokenizer(), base, {})
    told = {"blinking": "Look! It flashes.", "zooming": "See! It looms."}
    said = [dataclasses.replace(clip, label="", caption=told[clip.label]) for clip in clips]
    spec = dataclasses.replace(
        make_spec(optim={"epochs": 8, "learning_rate": 4e-3}, clips=said),
        task="captioning",
        class_names=[],
        model_path=str(base),
        family="vision-encoder-decoder",
    )
    folder = merged_of(spec)
    reported = json.loads((Path(spec.folder) / "adapter" / "predictions.json").read_text())
    lines = card_output(folder, said, reported)
    assert [line[1] for line in lines] == [row["predicted"] for row in reported]


@pytest.mark.parametrize("family", ["clip", "siglip", "xclip", "vision-text-dual-encoder"])
def test_a_merged_retriever_finds_the_same(make_spec: MakeSpec, tmp_path: Path, family: str) -> None:
    base = make_base(family, tmp_path / "base")
    spec = captioned(make_spec(optim={"epochs": 4, "learning_rate": 4e-3}), base, family)
    folder = merged_of(spec)
    reported = json.loads((Path(spec.folder) / "adapter" / "predictions.json").read_text())
    asked = reported[0]["reference"]
    paths = {clip.id: clip.path for clip in spec.clips}
    found = {path: float(score) for score, path in card_output(folder, spec.clips, reported, asked)}
    assert len(found) == len(reported)
    for shown in reported[0]["top"]:
        assert found[paths[shown["clip_id"]]] == pytest.approx(shown["score"], abs=0.05)
    facts = inspect_model(folder)
    assert (facts.family, facts.model_type) == (family, "video_retrieval")


@pytest.mark.parametrize(("family", "vision"), [("qwen2_5_vl", True), ("smolvlm", False), ("idefics", False)])
def test_a_merged_video_language_model_says_the_same(
    make_spec: MakeSpec, clips: list[ClipSpec], tmp_path: Path, family: str, vision: bool
) -> None:
    base = make_tiny(family, tmp_path / "base")
    told = {"blinking": "it blinks", "zooming": "it looms now"}
    said = [dataclasses.replace(clip, label="", caption=told[clip.label]) for clip in clips[:8]]
    data = {"frames": 4} | ({"size": 56} if family.startswith("qwen") else {})
    how = {"epochs": 6, "learning_rate": 1e-2, "batch_size": 3}
    made = make_spec(optim=how, qlora={"vision": vision}, clips=said, data=data)
    spec = dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family=family)
    folder = merged_of(spec)
    reported = json.loads((Path(spec.folder) / "adapter" / "predictions.json").read_text())
    lines = card_output(folder, said, reported)
    same = [line[1][:6] == row["predicted"][:6] for line, row in zip(lines, reported, strict=True)]
    assert all(same), (lines, reported)
    assert inspect_model(folder).family == family
    load_with_adapters(
        resolve(read_base(folder)), Plan(read_base(folder), parse_recipe({}), "captioning", (), ("it hops",))
    )


def test_a_merge_that_is_called_off_leaves_nothing(make_spec: MakeSpec) -> None:
    spec = make_spec(optim={"max_steps": 1})
    train(spec, recorder_of(spec), lambda: False)
    folder, recipe = Path(spec.folder), parse_recipe(spec.recipe)
    with pytest.raises(Invalid, match="cancelled"):
        merge(
            folder / "adapter",
            Path(spec.model_path),
            recipe,
            spec.task,
            folder / "merged",
            lambda stage, _: stage != "writing",
        )
    assert not (folder / "merged").exists()
