"""Where an uploaded or fetched base model lies, and which of a model's files are taken: never code, never a pickle."""

import shutil
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from orchestrator.settings import get_settings

TAKEN = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja", ".md"})
"""Weights, configs, tokenizers (a .model is SentencePiece's protobuf), chat templates, the card."""
_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".npz"})

TO_SAFETENSORS = "load the model and call save_pretrained(folder, safe_serialization=True)."
"""The way out of a pickle."""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
"""What transformers looks for: one file, or the list of several."""
PROCESSORS = ("preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json")
PARTS = ".parts"
"""The folder, in a model's own, of files that are not whole yet."""


TEXT_BYTES = 2**26
"""The most that config, tokenizer, processor or card may have: all of it is read into memory."""


def small_text(path: Path) -> str:
    """What a file beside the weights says.

    Raises:
        OSError. ValueError: it is larger than any such file, or no text.
    """
    with path.open("rb") as file:
        raw = file.read(TEXT_BYTES + 1)
    if len(raw) > TEXT_BYTES:
        raise ValueError(path.name)
    return raw.decode()


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


NO_PROCESSOR = "preprocessor_config.json is missing. It says how pictures are prepared; add it."


def lacking(names: Collection[str], shards: Collection[str] = ()) -> str:
    """What is missing among these names of files, as a sentence, or "". `shards`: those that the index names."""
    if "config.json" not in names:
        return "config.json is missing. It says what the model is; add it."
    if WEIGHTS not in names and INDEX not in names:
        other = next((name for name in sorted(names) if name.endswith(".safetensors")), "")
        named = f" {other} has another name." if other else ""
        return f"{WEIGHTS} is missing, or {INDEX} with the files that it names.{named} Add it."
    if missing := sorted(set(shards) - set(names)):
        return f"{missing[0]} is missing: the index names {len(shards)} files. Add all of them."
    return "" if any(name in names for name in PROCESSORS) else NO_PROCESSOR


def file_problem(name: str, size: int = 0) -> str:
    """Why a file of this name and size is not taken into a base model, or ""."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in TAKEN and suffix != ".safetensors" and size > TEXT_BYTES:
        return f"{name} has {size / 1e6:,.0f} MB; beside the weights a file may have {TEXT_BYTES / 1e6:,.0f} MB."
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
