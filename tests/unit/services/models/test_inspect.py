"""A model folder is read from its heads; what is missing or broken is said in a sentence beside the path."""

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from orchestrator.domain.errors import Invalid
from orchestrator.services.models import whole
from orchestrator.services.models.inspect import inspect_model


def write_model(folder: Path, family: str = "videomae", cut: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": family, "num_frames": 8, "image_size": 48}))
    shapes = {
        "videomae.encoder.layer.0.attention.attention.query.weight": [32, 32],
        "videomae.encoder.layer.1.attention.attention.query.weight": [32, 32],
        "videomae.embeddings.patch_embeddings.projection.weight": [32, 3, 2, 8, 8],
        "videomae.encoder.layer.0.layernorm_before.weight": [32],
        "classifier.weight": [4, 32],
    }
    head, at = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(head).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(at - cut))
    return folder


def test_facts_come_from_the_files(tmp_path: Path) -> None:
    facts = inspect_model(write_model(tmp_path / "m"))
    assert facts.architecture == "VideoMAE"
    assert facts.model_type == "video_classification"
    assert facts.parameters == 2 * 1024 + 32 * 3 * 2 * 64 + 32 + 128
    assert facts.details["frames"] == 8
    by_suffix = {group["suffix"]: group for group in facts.details["layers"]}
    assert by_suffix["query"]["count"] == 2
    assert by_suffix["query"]["default"]
    assert not by_suffix["classifier"]["default"]
    assert facts.details["nf4_bytes"] < facts.size_bytes
    assert len(facts.revision) == 64


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no .safetensors"),
        (lambda folder: (folder / "model.safetensors").unlink(), "save_pretrained(folder, safe_serialization=True)"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"hello"), "damaged"),
        (lambda folder: write_model(folder, cut=64), "cut off"),
        (lambda folder: write_model(folder, family="bert"), "“bert”"),
    ],
)
def test_each_fault_has_its_sentence(tmp_path: Path, spoil, said: str) -> None:
    folder = write_model(tmp_path / "m")
    spoil(folder)
    with pytest.raises(Invalid) as refused:
        inspect_model(folder)
    assert refused.value.field == "path"
    assert said in refused.value.message


def whole_model(folder: Path, **tensors: object) -> Path:
    folder.mkdir()
    (folder / "preprocessor_config.json").write_text("{}")
    save_file({"a": torch.ones(3, 5), "b": torch.arange(4)} | tensors, folder / "model.safetensors")  # type: ignore[arg-type]
    return folder


DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2, torch.float8_e4m3fn)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_number_is_looked_at(tmp_path: Path, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_BLOCK", 16)
    largest = torch.full((40,), torch.finfo(dtype).max, dtype=torch.float64).to(dtype)
    whole.check_files(whole_model(tmp_path / "good", weight=largest))
    spoilt = largest.clone()
    spoilt[37] = float("nan")
    with pytest.raises(Invalid, match="not finite, in weight"):
        whole.check_files(whole_model(tmp_path / "bad", weight=spoilt))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = whole_model(tmp_path / "m")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-2.safetensors"}}))
    with pytest.raises(Invalid, match=r"model-2\.safetensors is missing"):
        whole.check_files(folder)
    index.write_text("[]")
    with pytest.raises(Invalid, match="is damaged"):
        whole.check_files(folder)
    index.unlink()
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(Invalid, match=r"preprocessor_config\.json is missing"):
        whole.check_files(folder)
