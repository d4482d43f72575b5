"""Tokenizes captions with the base's own tokenizer, and copies the tokenizer's files to the folder of an adapter."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.families.protocol import Base, Captions
from orchestrator.domain.errors import Invalid

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_FILES = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")
_VOCABULARY_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def has_tokenizer(folder: Path) -> bool:
    """Whether the folder has a vocabulary: for some architectures transformers makes an empty tokenizer without one."""
    return any((folder / name).is_file() for name in _VOCABULARY_FILES)


def read_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The base's own tokenizer, with its chat template.

    Raises:
        Invalid: it is missing or damaged.
    """
    from transformers import AutoTokenizer

    try:
        if not has_tokenizer(folder):
            raise ValueError("no tokenizer's file")
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(
            "The base model's tokenizer is missing or cannot be read. Register a complete copy of it."
        ) from error
    template = folder / "chat_template.json"
    if not tokenizer.chat_template and template.is_file():
        tokenizer.chat_template = json.loads(template.read_text()).get("chat_template")
    return tokenizer


class CaptionTokenizer:
    """Captions to `input_ids` (K, L) and, where the tokenizer makes one, `attention_mask`; long ones are truncated."""

    def __init__(self, base: Base, max_length: int, pad_to_max_length: bool = False) -> None:
        """`pad_to_max_length`: every caption is padded to `max_length`, as SigLIP was trained.

        Raises:
            Invalid: the base has no tokenizer that can be read.
        """
        from transformers import AutoTokenizer

        try:
            if not has_tokenizer(base.folder):
                raise ValueError("no tokenizer's file")
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                base.folder, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            text = "The base model's tokenizer could not be read. Its folder needs tokenizer.json. Register it again."
            raise Invalid(text) from error
        self._max_length = max_length
        padding = "max_length" if pad_to_max_length else True
        self._options: dict[str, Any] = {"padding": padding, "max_length": max_length}

    def __call__(self, captions: Sequence[str]) -> dict[str, Any]:
        encoded = self._tokenizer(list(captions), truncation=True, return_tensors="pt", **self._options)
        return {name: encoded[name] for name in ("input_ids", "attention_mask") if name in encoded}

    def truncation_warnings(self, captions: Captions) -> list[str]:
        """A sentence that counts the captions that are truncated and names the first clip; else nothing."""
        lengths = self._tokenizer([caption for _, caption in captions], return_attention_mask=False, verbose=False)
        ids_of = zip(captions, lengths["input_ids"], strict=True)
        truncated = [name for (name, _), ids in ids_of if len(ids) > self._max_length]
        if not truncated:
            return []
        count = "1 caption is" if len(truncated) == 1 else f"{len(truncated)} captions are"
        end = "its end" if len(truncated) == 1 else "their ends"
        return [
            f"{count} longer than the {self._max_length} tokens this base reads, and {end} will be cut off; "
            f"the first belongs to {truncated[0]}."
        ]


def save_tokenizer(base: Base, folder: Path) -> None:
    """Copies the tokenizer's files."""
    for path in sorted({path for pattern in _FILES for path in base.folder.glob(pattern)}):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
