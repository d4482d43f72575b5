"""A model folder is read from its heads; what is missing or broken is reported in a sentence next to the path."""

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from jobs.families.protocol import Base
from jobs.families.weights import read_weights
from orchestrator.domain.errors import Invalid
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.models import integrity
from orchestrator.services.models.details import model_details
from orchestrator.services.models.files import INDEX, TEXT_BYTES, WEIGHTS
from orchestrator.services.models.folders import register_folder
from orchestrator.services.models.inspect import inspect_model
from orchestrator.settings import get_settings


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
        (lambda folder: write_model(folder, cut=64), "truncated"),
        (lambda folder: write_model(folder, family="bert"), "“bert”"),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "weights.safetensors"),
            "Name it",
        ),
        (lambda folder: (folder / "config.json").write_bytes(b" " * (TEXT_BYTES + 1)), "cannot be read"),
    ],
)
def test_each_fault_has_its_sentence(tmp_path: Path, spoil, said: str) -> None:
    folder = write_model(tmp_path / "m")
    spoil(folder)
    with pytest.raises(Invalid) as refused:
        inspect_model(folder)
    assert refused.value.field == "path"
    assert said in refused.value.message


SIZES = ("vision_config", "image_size", "patch_size", "num_hidden_layers", "id2label", "max_position_embeddings")
LIES: list[object] = ["x", -1, 1e300, float("nan"), float("inf"), 10**30, True, ["x"], {"height": -1}]


@pytest.mark.parametrize("family", ["videomae", "qwen2_vl", "internvl"])
def test_a_config_that_lies_ends_in_a_sentence(tmp_path: Path, family: str) -> None:
    """Read or refused, never anything else: it would end the page, or a worker three times."""
    folder, refused = write_model(tmp_path / "m"), 0
    for name in SIZES:
        for lie in LIES:
            for config in ({name: lie}, {"vision_config": {name: lie}}, {"text_config": {name: lie}}):
                (folder / "config.json").write_text(json.dumps({"model_type": family} | config))
                try:
                    facts = inspect_model(folder)
                except Invalid as error:
                    refused += "sizes that no model can have" in error.message
                else:
                    json.dumps(facts.details, allow_nan=False)
    assert refused > 30


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"a": {"dtype": "F32", "shape": [16], "data_offsets": []}}, "damaged"),
        ({"a": {"dtype": "F32", "shape": [16], "data_offsets": [0, float("inf")]}}, "damaged"),
        ({"a": {"dtype": "F32", "shape": [-4, -4], "data_offsets": [0, 64]}}, "damaged"),
        ({"a": {"dtype": "F32", "shape": [64], "data_offsets": [0, 64]}}, "damaged"),
        ({"a": {"dtype": "F4", "shape": [2**62, 2**62], "data_offsets": [0, 64]}}, "numbers of type F4"),
        ({"a": {"dtype": ["F32"], "shape": [16], "data_offsets": [0, 64]}}, "numbers of type"),
        ({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}, "holds no weights"),
        ([], "damaged"),
    ],
    ids=str,
)
def test_a_head_that_lies_ends_in_a_sentence(tmp_path: Path, head: object, said: str) -> None:
    folder, raw = write_model(tmp_path / "m"), json.dumps(head).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(64))
    with pytest.raises(Invalid, match=said):
        inspect_model(folder)


def test_an_index_leads_to_nobody_elses_weights(tmp_path: Path) -> None:
    theirs, mine = complete_model(tmp_path / "theirs"), complete_model(tmp_path / "mine")
    (mine / "model.safetensors").rename(mine / "model-1.safetensors")
    base = Base(mine, {}, {})
    for elsewhere in (f"../theirs/{WEIGHTS}", str(theirs / WEIGHTS), "/etc/passwd", "../mine/model-1.safetensors"):
        (mine / INDEX).write_text(json.dumps({"weight_map": {"a": "model-1.safetensors", "b": elsewhere}}))
        (mine / "config.json").write_text('{"model_type": "videomae"}')
        for read in (inspect_model, integrity.check_files):
            with pytest.raises(Invalid, match=r"is no \.safetensors file in its folder"):
                read(mine)
        with pytest.raises(Invalid, match="in its folder"):
            read_weights(None, base)


def test_a_tensor_that_the_index_promises_is_looked_for(tmp_path: Path) -> None:
    folder = complete_model(tmp_path / "m")
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": WEIGHTS, "c": WEIGHTS}}))
    with pytest.raises(Invalid, match=r"model\.safetensors does not have c"):
        integrity.check_files(folder)


def test_a_folder_holds_no_link_out_of_the_allowed_ones(home: Path, ada: Actor, tmp_path: Path) -> None:
    root = get_settings().model_roots[0]
    folder = write_model(root / "m")
    (folder / "preprocessor_config.json").write_text("{}")
    (tmp_path / "key").write_text("a secret of this machine")
    (root / "card").write_text("beside it")
    (folder / "LICENSE.md").symlink_to(root / "card")  # as in a cache of the Hub
    with session_scope() as session:
        model_id = register_folder(session, ada, "mine", "", str(folder)).id
        assert model_details(session, ada, model_id).card == ""
        (folder / "README.md").symlink_to(tmp_path / "key")
        assert model_details(session, ada, model_id).card == ""
        with pytest.raises(Invalid, match=r"README\.md is a link that leads out"):
            register_folder(session, ada, "again", "", str(folder))
        (root / "out").symlink_to(tmp_path)
        with pytest.raises(Invalid, match="must be in"):
            register_folder(session, ada, "again", "", str(root / "out"))


def complete_model(folder: Path, **tensors: object) -> Path:
    folder.mkdir()
    (folder / "preprocessor_config.json").write_text("{}")
    save_file({"a": torch.ones(3, 5), "b": torch.arange(4)} | tensors, folder / "model.safetensors")  # type: ignore[arg-type]
    return folder


DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2, torch.float8_e4m3fn)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_number_is_looked_at(tmp_path: Path, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "_BLOCK", 16)
    largest = torch.full((40,), torch.finfo(dtype).max, dtype=torch.float64).to(dtype)
    integrity.check_files(complete_model(tmp_path / "good", weight=largest))
    spoilt = largest.clone()
    spoilt[37] = float("nan")
    with pytest.raises(Invalid, match="not finite, in weight"):
        integrity.check_files(complete_model(tmp_path / "bad", weight=spoilt))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = complete_model(tmp_path / "m")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-2.safetensors"}}))
    with pytest.raises(Invalid, match=r"model-2\.safetensors is missing"):
        integrity.check_files(folder)
    index.write_text("[]")
    with pytest.raises(Invalid, match="is damaged"):
        integrity.check_files(folder)
    index.unlink()
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(Invalid, match=r"preprocessor_config\.json is missing"):
        integrity.check_files(folder)
