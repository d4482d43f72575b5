"""Where an uploaded or fetched base model lies, and which of a model's files are taken: never code, never a pickle."""

import shutil
from pathlib import Path, PurePosixPath

from orchestrator.settings import get_settings

TAKEN = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja", ".md"})
"""Weights, configs, tokenizers (a .model is SentencePiece's protobuf), chat templates, the card."""
_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".npz"})

TO_SAFETENSORS = "load the model and call save_pretrained(folder, safe_serialization=True)."
"""The way out of a pickle."""
PARTS = ".parts"
"""The folder, in a model's own, of files that are not whole yet."""


def model_folder(model_id: int) -> Path:
    """Everything of one base model that was uploaded or fetched; deleting the model deletes it."""
    return get_settings().storage_dir / "models" / str(model_id)


def remove_model_folder(model_id: int) -> None:
    """Deletes the files; nothing happens when there are none."""
    shutil.rmtree(model_folder(model_id), ignore_errors=True)


def begun_bytes(model_id: int) -> int:
    """How much of a fetch that broke off lies here, to be gone on from."""
    folder = model_folder(model_id)
    if not (folder / PARTS).is_dir():
        return 0
    files = [*folder.glob("*.safetensors"), *(folder / PARTS).glob("*.safetensors")]
    return sum(path.stat().st_size for path in files)


def file_problem(name: str) -> str:
    """Why a file of this name is not taken into a base model, or ""."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in TAKEN:
        return ""
    if suffix in _PICKLED:
        return (
            f"{name} holds pickled weights, which can run code when opened. Convert them to safetensors first: "
            + TO_SAFETENSORS
        )
    if suffix == ".py":
        return f"{name} is code, which a base model never brings along. Leave it out."
    return f"{name} is not part of a base model. Take config.json, .safetensors, the processor and the tokenizer."
