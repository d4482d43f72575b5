"""Each video language model trains in 4 bits from a random base, and its card's program runs the adapter alone."""

import dataclasses
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from jobs.families.protocol import Plan
from jobs.families.quantize import quantized_layers
from jobs.families.registry import MODULES, read_base, resolve
from jobs.families.video_llm import layouts
from jobs.families.video_llm.chat import IGNORED, ChatCollator
from jobs.families.video_llm.family import VideoLLM
from jobs.runs.clip_spec import ClipSpec
from jobs.trainer.rehearsal import adapted_layers
from jobs.trainer.run import train
from jobs.trainer.setup import load_with_adapters
from orchestrator.domain.errors import Invalid
from orchestrator.domain.recipe_data import Data
from orchestrator.domain.recipes import parse_recipe
from orchestrator.services.models.inspect import inspect_model
from orchestrator.services.models.vision_tokens import read_vision_layout, spreads_frames, visual_tokens
from tests.unit.jobs.families.tiny_llms import CONFIGS, edge_of, make_tiny
from tests.unit.jobs.trainer.conftest import MakeSpec, clips, make_spec
from tests.unit.jobs.trainer.test_run import losses, recorder_of

__all__ = ["clips", "make_spec"]


def test_every_architecture_has_a_tiny_config() -> None:
    assert set(CONFIGS) == {name for name, module in MODULES.items() if "video_llm" in module}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_a_run_and_its_cards_program(
    name: str,
    make_spec: MakeSpec,
    clips: list[ClipSpec],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = make_tiny(name, tmp_path / "base")
    captions = {"blinking": "it blinks", "zooming": "it looms now"}
    captioned = [dataclasses.replace(clip, label="", caption=captions[clip.label]) for clip in clips[:8]]
    family = resolve(read_base(base))
    assert isinstance(family, VideoLLM)
    data = {"frames": 4} | ({} if family.architecture.fixed_size else {"size": 56})
    data |= {} if spreads_frames(name, Data()) else {"fps": 25}
    made = make_spec(optim={"epochs": 5, "learning_rate": 1e-2, "batch_size": 3}, clips=captioned, data=data)
    spec = dataclasses.replace(made, task="captioning", class_names=[], model_path=str(base), family=name)
    result = train(spec, recorder_of(spec), lambda: False)
    curve = list(losses(spec).values())
    assert curve[-1] < curve[0] - 0.3
    assert result.summary.baseline.keys() >= {"eval_exact", "eval_rouge_l", "eval_bleu"}
    adapter = Path(spec.folder) / "adapter"
    (adapter / "caption.py").write_text((adapter / "README.md").read_text().split("```python\n")[1].split("```")[0])
    reported = json.loads((adapter / "predictions.json").read_text())
    paths = {clip.id: clip.path for clip in captioned}
    monkeypatch.setattr(sys, "argv", ["caption.py", *(paths[row["clip_id"]] for row in reported)])
    capsys.readouterr()
    runpy.run_path(str(adapter / "caption.py"))
    lines = capsys.readouterr().out
    for row in reported:
        text = lines.split(f"{paths[row['clip_id']]}\t")[1]
        assert " ".join(text.split()).startswith(row["predicted"])


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_the_web_counts_the_tokens_that_the_layout_makes(name: str, tmp_path: Path) -> None:
    base = read_base(make_tiny(name, tmp_path))
    family = resolve(base)
    assert isinstance(family, VideoLLM)
    size = None if family.architecture.fixed_size else 56
    recipe = parse_recipe({"data": {"frames": 5, "size": size}})
    edge = edge_of(family.sampling(base, recipe))
    frames = np.random.default_rng(0).integers(0, 256, (5, edge, edge, 3), np.uint8)
    item = {"frames": frames, "captions": ["x"], "training": False, "seed": (0, 0)}
    collator = family.collate(Plan(base, recipe, "captioning", (), ("x",)))
    assert isinstance(collator, ChatCollator)
    ids = collator([item])["input_ids"]
    layout = read_vision_layout(name, base.config)
    assert layout is not None
    assert visual_tokens(layout, 5, size) == int((ids == collator.video_token_id()).sum())
    assert layout["edge"] == family.architecture.frame_edge(base.config)
    facts = inspect_model(tmp_path)
    assert facts.details["sight"] == layout
    model = load_with_adapters(family, Plan(base, parse_recipe({}), "captioning", (), ("x",)))
    adapted = {row["suffix"]: row["count"] for row in adapted_layers(model)}
    assert {g["suffix"]: g["count"] for g in facts.details["layers"] if g["default"]} == adapted


def test_the_vision_tower_is_not_quantized_and_only_the_answer_is_learned(tmp_path: Path) -> None:
    base = read_base(make_tiny("qwen2_5_vl", tmp_path))
    recipe = parse_recipe({"data": {"frames": 4, "size": 56}})
    family = resolve(base)
    plan = Plan(base, recipe, "captioning", (), ("it hops",))
    model = load_with_adapters(family, plan)
    assert len(quantized_layers(model)) == 14
    assert all("language_model" in name for name, p in model.named_parameters() if p.requires_grad)
    frames = np.random.default_rng(0).integers(0, 256, (4, 56, 56, 3), dtype=np.uint8)
    item = {"frames": frames, "captions": ["it hops"], "training": True, "seed": (0, 0), "clip_id": 1}
    batch = family.collate(plan)([item])
    learned = batch["labels"][0][batch["labels"][0] != IGNORED]
    collator = family.collate(plan)
    assert isinstance(collator, ChatCollator)
    assert collator.tokenizer.decode(learned) == "it hops<|im_end|>"


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_logits_of_the_answer_alone_give_the_same_loss(name: str, tmp_path: Path) -> None:
    base = read_base(make_tiny(name, tmp_path))
    family = resolve(base)
    assert isinstance(family, VideoLLM)
    recipe = parse_recipe({"data": {"frames": 4} | ({} if family.architecture.fixed_size else {"size": 56})})
    plan = Plan(base, recipe, "captioning", (), ("it hops", "it looms now"))
    edge = edge_of(family.sampling(base, recipe))
    frames = np.random.default_rng(0).integers(0, 256, (4, edge, edge, 3), dtype=np.uint8)
    items = [{"frames": frames, "captions": [c], "training": True, "seed": (0, 0), "clip_id": 1} for c in plan.captions]
    batch = family.collate(plan)(items)
    model = load_with_adapters(family, plan).eval()
    all_positions = {key: value for key, value in batch.items() if key not in ("shift_labels", "logits_to_keep")}
    with torch.no_grad():
        answer_only, full = model(**batch), model(**all_positions)
    assert float(answer_only.loss) == pytest.approx(float(full.loss), abs=1e-5)
    assert answer_only.logits.shape[0] == int((batch["labels"] != IGNORED).sum())
    assert full.logits.shape[:2] == batch["labels"].shape


def test_patches_equal_the_real_processors() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (56, 84, 3), dtype=np.uint8)
    real = Qwen2VLImageProcessorPil(do_resize=False, image_mean=[0.5] * 3, image_std=[0.5] * 3)(
        [picture], return_tensors="pt"
    )
    frames = torch.from_numpy(picture).permute(2, 0, 1).float().div(127.5).sub(1).expand(2, -1, -1, -1)
    patches, grid = layouts.qwen_patches(frames, {"time": 2, "patch": 14, "merge": 2})
    assert [grid] == real["image_grid_thw"].tolist()
    assert torch.allclose(patches, real["pixel_values"], atol=1e-5)


def test_the_processors_files_are_copied_unchanged(tmp_path: Path) -> None:
    """Qwen3-VL's repository has one file for images and one for videos, each with a class of its own."""
    folder = make_tiny("qwen3_vl", tmp_path / "base")
    how: dict[str, object] = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "patch_size": 16, "merge_size": 2}
    images = how | {"image_processor_type": "Qwen2VLImageProcessorFast", "size": {"shortest_edge": 65536}}
    videos = how | {"video_processor_type": "Qwen3VLVideoProcessor", "size": {"shortest_edge": 4096}}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    (folder / "video_preprocessor_config.json").write_text(json.dumps(videos))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    base, saved = read_base(folder), tmp_path / "saved"
    saved.mkdir()
    resolve(base).save_processor(Plan(base, parse_recipe({"data": {"frame_shape": "square"}}), "captioning"), saved)
    for name in ("preprocessor_config.json", "video_preprocessor_config.json", "chat_template.json"):
        assert (saved / name).read_bytes() == (folder / name).read_bytes()
    assert type(AutoImageProcessor.from_pretrained(saved)).__name__.startswith("Qwen2VLImageProcessor")
    assert AutoTokenizer.from_pretrained(saved).chat_template == "{{ messages }}"


def test_idefics_adapter_is_read_by_auto_processor(tmp_path: Path) -> None:
    folder = make_tiny("idefics", tmp_path / "base")
    how = {"image_processor_type": "IdeficsImageProcessor", "processor_class": "IdeficsProcessor", "image_size": 28}
    (folder / "preprocessor_config.json").write_text(json.dumps(how))
    base, saved = read_base(folder), tmp_path / "saved"
    saved.mkdir()
    resolve(base).save_processor(Plan(base, parse_recipe({}), "captioning"), saved)
    assert type(AutoProcessor.from_pretrained(saved)).__name__ == "IdeficsProcessor"


def test_sizes_and_tasks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    base = read_base(make_tiny("smolvlm", tmp_path / "a"))
    family = resolve(base)
    with pytest.raises(Invalid, match="describes clips"):
        family.check(base, parse_recipe({}), "classification")
    with pytest.raises(Invalid, match="exactly 28 x 28"):
        family.check(base, parse_recipe({"data": {"size": 56}}), "captioning")
    free = read_base(make_tiny("qwen2_vl", tmp_path / "b"))
    with pytest.raises(Invalid, match="multiple of 28"):
        resolve(free).check(free, parse_recipe({"data": {"size": 60, "frame_shape": "square"}}), "captioning")
    plan = Plan(free, parse_recipe({}), "captioning")
    long = {"captions": ["on and on " * 300], "training": False, "seed": (0, 0), "clip_id": 1}
    long["frames"] = np.zeros((4, 56, 56, 3), np.uint8)
    with pytest.raises(Invalid, match="Use fewer frames"):
        resolve(free).collate(plan)([long])


def test_the_vision_tower_is_trained_where_the_recipe_says_so(tmp_path: Path) -> None:
    base = read_base(make_tiny("qwen2_vl", tmp_path))
    recipe = parse_recipe({"data": {"frames": 4, "size": 56}, "qlora": {"vision": True}})
    plan = Plan(base, recipe, "captioning", (), ("it hops",))
    family = resolve(base)
    model = load_with_adapters(family, plan)
    learned = [name for name, p in model.named_parameters() if p.requires_grad]
    assert any("visual" in name for name in learned)
    assert any("language_model" in name for name in learned)
    assert all("lora_" in name for name in learned)
    assert family.vision_encoder(plan, model) is None
