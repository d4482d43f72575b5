"""Turns captions into tokens with the base's own tokenizer, and lays its files beside an adapter."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.families.protocol import Base, Captions
from orchestrator.domain.errors import Invalid

_FILES = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model")
_WHOLE = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model")


def has_tokenizer(folder: Path) -> bool:
    """Whether there is anything to read: of some architectures transformers makes an empty tokenizer from nothing."""
    return any((folder / name).is_file() for name in _WHOLE)


class CaptionTokenizer:
    """Sentences to `input_ids` and, where the tokenizer makes one, `attention_mask`; too long ones are cut off."""

    def __init__(self, base: Base, longest: int, full_length: bool = False) -> None:
        """`full_length`: every sentence is filled up to `longest`, as SigLIP was trained."""
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
        self._longest = longest
        self._how: dict[str, Any] = {"padding": "max_length" if full_length else True, "max_length": longest}

    def __call__(self, sentences: Sequence[str]) -> dict[str, Any]:
        read = self._tokenizer(list(sentences), truncation=True, return_tensors="pt", **self._how)
        return {name: read[name] for name in ("input_ids", "attention_mask") if name in read}

    def caption_warnings(self, told: Captions) -> list[str]:
        """A sentence where captions are cut off, with the first clip it happens to; else nothing."""
        lengths = self._tokenizer([caption for _, caption in told], return_attention_mask=False, verbose=False)
        cut = [name for (name, _), ids in zip(told, lengths["input_ids"], strict=True) if len(ids) > self._longest]
        if not cut:
            return []
        many = "1 caption is" if len(cut) == 1 else f"{len(cut)} captions are"
        end = "its end" if len(cut) == 1 else "their ends"
        return [
            f"{many} longer than the {self._longest} tokens this base reads, and {end} will be cut off; "
            f"the first belongs to {cut[0]}."
        ]


def save_tokenizer(base: Base, folder: Path) -> None:
    """Copies the tokenizer's files."""
    for path in sorted({found for pattern in _FILES for found in base.folder.glob(pattern)}):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
