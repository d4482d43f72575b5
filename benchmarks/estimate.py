"""The wizard's memory estimate against the peak of whole runs: after a rehearsal, for twice the batch, before any."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.target import Target

TARGETS: dict[str, Target] = {
    "worst_rehearsed_percent": {"max": 15.0},
    "worst_carried_percent": {"max": 15.0},
}
CLIPS = 16
BATCH = 4
_FRAMES = (8, 112)


def _videomae(folder: Path) -> None:
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    count, edge = _FRAMES
    VideoMAEForVideoClassification(
        VideoMAEConfig(
            hidden_size=384, intermediate_size=1536, num_hidden_layers=4, num_attention_heads=6, num_frames=count,
            image_size=edge, patch_size=8, decoder_num_hidden_layers=1,
        )
    ).save_pretrained(folder)  # fmt: skip


def _clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPModel

    side = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 4, "num_attention_heads": 6}
    CLIPModel(
        CLIPConfig(
            vision_config=side | {"image_size": _FRAMES[1], "patch_size": 16},
            text_config=side
            | {
                "vocab_size": 300,
                "max_position_embeddings": 77,
                "eos_token_id": 258,
                "bos_token_id": 257,
                "pad_token_id": 256,
            },
        )
    ).save_pretrained(folder)


def _qwen(folder: Path) -> None:
    from transformers import AutoConfig, AutoModelForImageTextToText

    from tests.unit.jobs.families.tiny_llms import CONFIGS

    raw = json.loads(json.dumps(CONFIGS["qwen2_vl"]))
    raw["text_config"] |= {
        "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8, "num_attention_heads": 8,
        "num_key_value_heads": 4,
    }  # fmt: skip
    raw["text_config"]["rope_parameters"]["mrope_section"] = [8, 12, 12]
    raw["vision_config"] |= {"hidden_size": 512, "depth": 4, "embed_dim": 256, "num_heads": 4}
    config = AutoConfig.for_model("qwen2_vl", **raw, pad_token_id=256, bos_token_id=257, eos_token_id=258)
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)


FAMILIES = {
    "videomae": (_videomae, "classification", {"frames": None, "size": None}),
    "clip": (_clip, "retrieval", {"frames": 8, "size": None}),
    "qwen2_vl": (_qwen, "captioning", {"frames": 8, "size": 224}),
}


def _base(family: str, folder: Path) -> Path:
    import torch

    from tests.unit.jobs.families.tiny_llms import tokenizer

    torch.manual_seed(0)
    FAMILIES[family][0](folder)
    tokenizer().save_pretrained(folder)
    processor = {
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3, "rescale_factor": 1 / 255,
        "image_processor_type": "VideoMAEImageProcessor", "size": {"shortest_edge": _FRAMES[1]},
        "crop_size": {"height": _FRAMES[1], "width": _FRAMES[1]},
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def _clips(folder: Path) -> list[Any]:
    from jobs.runs.clip_spec import ClipSpec
    from jobs.video.synthetic import demo_frames, write_mp4

    made = []
    for number in range(CLIPS):
        motion = ("blinking", "zooming")[number % 2]
        path = write_mp4(folder / f"{number}.mp4", demo_frames(motion, number))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        made.append(ClipSpec(number + 1, str(path), motion, f"it is {motion} {number}", "auto", digest, path.name))
    return made


def _spec(family: str, batch: int, base: Path, clips: list[Any], folder: Path) -> Any:
    from jobs.runs.spec import TrainSpec

    _, task, data = FAMILIES[family]
    folder.mkdir(parents=True, exist_ok=True)
    return TrainSpec(
        job_id=1,
        attempt=1,
        name="estimate",
        folder=str(folder),
        recipe={"optim": {"batch_size": batch, "epochs": 1, "learning_rate": 1e-4}, "data": data, "output_name": "x"},
        task=task,
        class_names=["blinking", "zooming"] if task == "classification" else [],
        dataset_name="drawn",
        model_name=family,
        model_path=str(base),
        model_revision=family,
        family=family,
        architecture=family,
        clips=clips if task == "classification" else [dataclasses.replace(clip, label="") for clip in clips],
        cache_dir=str(folder.parent / "cache"),
    )


def _run(module: str, spec: Any) -> tuple[dict[str, Any], int]:
    """The child's result.json, and the most memory it ever held."""
    path = Path(spec.folder) / "spec.json"
    spec.save(path)
    child = subprocess.Popen([sys.executable, "-m", module, str(path)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    result = json.loads((Path(spec.folder) / "result.json").read_text())
    if status or result.get("error"):
        raise RuntimeError(f"{module}: {result}")
    return result, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _estimated_bytes(
    base: Path, recipe: dict[str, Any], rehearsed: tuple[dict[str, Any], dict[str, Any]] | None
) -> int:
    """What the wizard says of a recipe, before or after a rehearsal of another."""
    from orchestrator.domain.models import ModelSource, VideoModel
    from orchestrator.domain.recipes import parse_recipe
    from orchestrator.domain.tasks import ModelType
    from orchestrator.services.models.inspect import inspect_model
    from orchestrator.services.training.estimate import Measurement, adapter_parameters, estimate
    from orchestrator.services.training.memory import memory_of

    facts = inspect_model(base)
    model = VideoModel(
        name="x", model_type=ModelType(facts.model_type), architecture=facts.architecture, family=facts.family,
        source=ModelSource.PATH, parameters=facts.parameters, details=facts.details,
    )  # fmt: skip
    measured = None
    if rehearsed:
        tried, found = parse_recipe(rehearsed[0]), rehearsed[1]
        then = memory_of(model, tried, adapter_parameters(model, tried))
        times = {name: float(found[name]) for name in ("load_s", "step_s", "eval_s", "decode_s")}
        measured = Measurement(memory=then, memory_bytes=found["memory_bytes"], result=found, exact=False, **times)
    return estimate(model, parse_recipe(recipe), CLIPS, measured=measured).memory_bytes


def run() -> dict[str, float]:
    """Per cent by which the wizard was wrong, for three families."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="loreel-estimate-") as room:
        for family in FAMILIES:
            home = Path(room) / family
            home.mkdir()
            base, clips = _base(family, home / "base"), _clips(home)
            spec = _spec(family, BATCH, base, clips, home / "rehearsal")
            tried, _ = _run("jobs.trainer.rehearsal", spec)
            same, double = (_spec(family, batch, base, clips, home / f"run{batch}") for batch in (BATCH, 2 * BATCH))
            (_, peak), (_, more) = _run("jobs.trainer", same), _run("jobs.trainer", double)
            found = tried["result"]
            figures[f"{family}_mb"] = round(peak / 1e6)
            figures[f"{family}_rehearsed_percent"] = _off(found["memory_bytes"], peak)
            figures[f"{family}_carried_percent"] = _off(
                _estimated_bytes(base, double.recipe, (spec.recipe, found)), more
            )
            figures[f"{family}_before_percent"] = _off(_estimated_bytes(base, same.recipe, None), peak)
            print(family, {k: v for k, v in figures.items() if k.startswith(family)}, flush=True)
    for kind in ("rehearsed", "carried", "before"):
        figures[f"worst_{kind}_percent"] = max(abs(figures[f"{family}_{kind}_percent"]) for family in FAMILIES)
    return figures


def _off(predicted: int, actual: int) -> float:
    return round(100 * (predicted - actual) / actual, 1)
