"""Finds the family of a base model by its config.json; a family is imported only when it is needed."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from jobs.families.protocol import Base, Family
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import STANDARD_FAMILIES
from orchestrator.domain.refused_bases import refusal, remote_code_refusal

MODULES = {
    "videomae": "jobs.families.videomae.family",
    "timesformer": "jobs.families.timesformer.family",
    "vivit": "jobs.families.vivit.family",
    "vjepa2": "jobs.families.vjepa2.family",
    "xclip": "jobs.families.xclip.family",
    "clip": "jobs.families.clip.family",
    "siglip": "jobs.families.siglip.family",
    "vision-text-dual-encoder": "jobs.families.dualencoder.family",
    "vision-encoder-decoder": "jobs.families.captioner.family",
    "qwen2_vl": "jobs.families.video_llm.qwen2_vl",
    "qwen2_5_vl": "jobs.families.video_llm.qwen2_5_vl",
    "qwen3_vl": "jobs.families.video_llm.qwen3_vl",
    "smolvlm": "jobs.families.video_llm.smolvlm",
    "llava_onevision": "jobs.families.video_llm.llava_onevision",
    "llava_next_video": "jobs.families.video_llm.llava_next_video",
    "internvl": "jobs.families.video_llm.internvl",
    "video_llama_3": "jobs.families.video_llm.video_llama_3",
    "idefics": "jobs.families.video_llm.idefics",
}
"""`model_type` to the module whose `FAMILY` meets the protocol; domain/families.py has what the web knows of each.

`STANDARD_FAMILIES` of that module need none.
"""
_STANDARD = "jobs.families.video_llm.standard"


def read_base(folder: Path) -> Base:
    """Reads config.json and the processor's settings of a base.

    Raises:
        Invalid: the folder has no readable config.json, or its model would run code of its own.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        raise Invalid("The base model's config.json is missing or damaged. Register the model again.") from None
    if not isinstance(config, dict) or "auto_map" in config:
        raise Invalid(remote_code_refusal(str(config.get("model_type", "")) if isinstance(config, dict) else ""))
    return Base(folder, config, _processor(folder))


def _processor(folder: Path) -> dict[str, Any]:
    """The settings of the base's image processor, or those of its video processor for VideoMAE's image processor.

    transformers' video processors need torchvision; VideoMAE's image processor does the same with Pillow.
    """
    for name in ("preprocessor_config.json", "video_preprocessor_config.json"):
        path = folder / name
        try:
            settings = json.loads(path.read_text()) if path.exists() else {}
        except (OSError, ValueError):
            raise Invalid(f"The base model's {name} is damaged. Register the model again.") from None
        if settings.pop("video_processor_type", None):
            settings["image_processor_type"] = "VideoMAEImageProcessor"
        if settings:
            return settings
    return {}


def resolve(base: Base) -> Family:
    """The family of `base`.

    Raises:
        Invalid: no family here trains this kind of model.
    """
    model_type = str(base.config.get("model_type", ""))
    if model_type in MODULES:
        return import_module(MODULES[model_type]).FAMILY
    if model_type in STANDARD_FAMILIES:
        return import_module(_STANDARD).standard_family(model_type)
    raise Invalid(refusal(model_type))
