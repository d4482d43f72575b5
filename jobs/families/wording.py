"""Turns captions into tokens with the base's own tokenizer, and lays its files beside an adapter."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.families.protocol import Base
from orchestrator.domain.errors import Invalid

_FILES = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")


class Wording:
    """Sentences to `input_ids` and, where the tokenizer makes one, `attention_mask`; too long ones are cut off."""

    def __init__(self, base: Base, longest: int, full_length: bool = False) -> None:
        """`full_length`: every sentence is filled up to `longest`, as SigLIP was trained."""
        from transformers import AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                base.folder, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            text = "The base model's tokenizer could not be read. Its folder needs tokenizer.json. Register it again."
            raise Invalid(text) from error
        self._how: dict[str, Any] = {"padding": "max_length" if full_length else True, "max_length": longest}

    def __call__(self, sentences: Sequence[str]) -> dict[str, Any]:
        read = self._tokenizer(list(sentences), truncation=True, return_tensors="pt", **self._how)
        return {name: read[name] for name in ("input_ids", "attention_mask") if name in read}


def keep_wording(base: Base, folder: Path) -> None:
    """Copies the tokenizer's files."""
    for path in sorted({found for pattern in _FILES for found in base.folder.glob(pattern)}):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
