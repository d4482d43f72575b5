"""A base's files are checked against its config before it is listed: no block of it is filled with random numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.families.registry import MODULES, read_base, resolve
from jobs.families.weights import check_weights_fit
from orchestrator.domain.errors import Invalid
from orchestrator.services.models.builtin import FOLDER
from orchestrator.services.models.inspect import inspect_model
from tests.fakes.bases import make_base
from tests.unit.jobs.families.tiny_llms import make_tiny

BUILTIN = {"videomae": "videomae-tiny", "vision-encoder-decoder": "captioner-tiny"}
OTHERS = ("timesformer", "vivit", "vjepa2", "clip", "siglip", "xclip", "vision-text-dual-encoder")


def base_of(family: str, folder: Path) -> Path:
    if family in BUILTIN:
        folder.mkdir()
        for file in (FOLDER / BUILTIN[family]).iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        return folder
    return make_base(family, folder) if family in OTHERS else make_tiny(family, folder)


def add_a_block(config: dict[str, Any]) -> bool:
    """Adds one to every number of blocks in the config; returns whether there was any."""
    names = [name for name in ("num_hidden_layers", "depth") if isinstance(config.get(name), int)]
    for name in names:
        config[name] += 1
    config.pop("layer_types", None)
    return any([*names, *(add_a_block(part) for part in config.values() if isinstance(part, dict))])


def check(folder: Path) -> None:
    base = read_base(folder)
    check_weights_fit(resolve(base).model_class, base)


@pytest.mark.parametrize("family", sorted(MODULES))
def test_a_base_fits_its_own_config_and_no_deeper_one(tmp_path: Path, family: str) -> None:
    folder = base_of(family, tmp_path / "base")
    assert inspect_model(folder).family == family
    check(folder)
    config = json.loads((folder / "config.json").read_text())
    assert add_a_block(config)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(Invalid, match="tensors are missing or of another size"):
        check(folder)
