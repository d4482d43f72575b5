"""Finds the family of a base model by its config.json; a family is imported only when it is asked for."""

import json
from importlib import import_module
from pathlib import Path

from jobs.families.protocol import Base, Family
from orchestrator.domain.errors import Invalid

FAMILIES = {
    "videomae": "jobs.families.videomae.family",
    "vision-encoder-decoder": "jobs.families.captioner.family",
}
"""`model_type` to the module whose `FAMILY` meets the protocol."""


def read_base(folder: Path) -> Base:
    """Reads a base's two configs.

    Raises:
        Invalid: the folder has no readable config.json, or wants its own code to run.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        raise Invalid("The base model's config.json is missing or damaged. Register the model again.") from None
    if not isinstance(config, dict) or "auto_map" in config:
        raise Invalid("The base model asks to run its own code, which we never do. Choose another base.")
    processor = folder / "preprocessor_config.json"
    try:
        settings = json.loads(processor.read_text()) if processor.exists() else {}
    except ValueError:
        raise Invalid("The base model's preprocessor_config.json is damaged. Register the model again.") from None
    return Base(folder, config, settings)


def resolve(base: Base) -> Family:
    """The family of `base`.

    Raises:
        Invalid: no family here trains this kind of model.
    """
    kind = str(base.config.get("model_type", ""))
    if kind not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise Invalid(f"No family here trains a model of type '{kind or 'unknown'}'. Choose a base of type {known}.")
    return import_module(FAMILIES[kind]).FAMILY
