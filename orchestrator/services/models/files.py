"""Files of base models: where they are stored, and which are accepted: no code, no pickles."""

import shutil
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from orchestrator.domain import formatting
from orchestrator.settings import get_settings

ACCEPTED_ENDINGS = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja", ".md"})
"""Weights, configs, tokenizers (.model is the protobuf of SentencePiece), chat templates, the model card."""
_PICKLE_ENDINGS = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".npz"})

TO_SAFETENSORS = "load the model and call save_pretrained(folder, safe_serialization=True)."
"""How to convert pickled weights; ends a sentence."""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
"""The files that transformers loads: all weights in one, or the index of several."""
PROCESSORS = ("preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json")
PARTIAL_FOLDER = ".parts"
"""The folder inside a model's folder for files that are still downloaded."""
TEXT_BYTES = 2**26
"""The most bytes of a config, tokenizer, processor or card, because it is read into memory."""


def read_small_text(path: Path) -> str:
    """Reads a text file of a model.

    Raises:
        OSError. ValueError: it is larger than `TEXT_BYTES`, or no UTF-8 text.
    """
    with path.open("rb") as file:
        content = file.read(TEXT_BYTES + 1)
    if len(content) > TEXT_BYTES:
        raise ValueError(path.name)
    return content.decode()


def model_folder(model_id: int) -> Path:
    """The folder of an uploaded or downloaded base model; it is deleted with the model."""
    return get_settings().storage_dir / "models" / str(model_id)


def remove_model_folder(model_id: int) -> None:
    """Deletes the folder, if it exists."""
    shutil.rmtree(model_folder(model_id), ignore_errors=True)


def partial_bytes(model_id: int) -> int:
    """Bytes of an interrupted download, which can be resumed."""
    folder = model_folder(model_id)
    if not (folder / PARTIAL_FOLDER).is_dir():
        return 0
    files = [*folder.glob("*.safetensors"), *(folder / PARTIAL_FOLDER).glob("*.safetensors")]
    return sum(path.stat().st_size for path in files)


NO_PROCESSOR = "preprocessor_config.json is missing. It defines how images are prepared; add it."


def missing_file(names: Collection[str], shards: Collection[str] = ()) -> str:
    """Which file a model needs that is not among these names, as a sentence; "" where it is complete.

    Args:
        shards: the files that the index names.
    """
    if "config.json" not in names:
        return "config.json is missing. It describes the model; add it."
    if WEIGHTS not in names and INDEX not in names:
        other = next((name for name in sorted(names) if name.endswith(".safetensors")), "")
        named = f" {other} has another name." if other else ""
        return f"{WEIGHTS} is missing, or {INDEX} with the files that it names.{named} Add it."
    if missing := sorted(set(shards) - set(names)):
        return f"{missing[0]} is missing: the index names {len(shards)} files. Add all of them."
    return "" if any(name in names for name in PROCESSORS) else NO_PROCESSOR


def file_problem(name: str, size: int = 0) -> str:
    """Why a file of this name and size is not accepted in a base model; "" where it is."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in ACCEPTED_ENDINGS and suffix != ".safetensors" and size > TEXT_BYTES:
        return (
            f"{name} has {formatting.size(size)}; a file other than the weights may have {formatting.size(TEXT_BYTES)}."
        )
    if suffix in ACCEPTED_ENDINGS:
        return ""
    if suffix in _PICKLE_ENDINGS:
        return (
            f"{name} holds pickled weights, which can run code when opened. Convert them to safetensors first: "
            + TO_SAFETENSORS
        )
    if suffix == ".py":
        return f"{name} is code, which is not accepted in a base model. Leave it out."
    return f"{name} is not part of a base model. Add config.json, .safetensors, the processor and the tokenizer."
