"""Gives the small word tokenizer the words of a dataset: each replaces an unused token of the base's vocabulary."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from jobs.families.protocol import Base, Captions, Plan
from orchestrator.domain.errors import Invalid

_UNUSED_PREFIX = "<spare-"


def read_tokenizer(plan: Plan) -> PreTrainedTokenizerFast:
    """The base's tokenizer with the dataset's words, or the adapter's; the same captions always give the same ids.

    Raises:
        Invalid: the base has no tokenizer.
    """
    if plan.adapter is not None:
        return _read(plan.adapter)
    tokenizer = _read(plan.base.folder)
    ids = new_words(tokenizer, plan.captions)
    return _with_words(tokenizer, ids) if ids else tokenizer


def check_caption_lengths(base: Base, tokenizer: PreTrainedTokenizerFast, captions: Captions) -> None:
    """Raises Invalid where a caption has more tokens than the decoder has positions."""
    limit = int(base.config.get("decoder", {}).get("max_position_embeddings", 64)) - 4
    for name, caption in captions:
        count = len(tokenizer(caption).input_ids)
        if count > limit:
            raise Invalid(
                f"The caption of {name}, “{caption[:60]}…”, has more words than this base can generate ({count - 2} of "
                f"{limit - 2} at most). Shorten it, or choose a larger base."
            )


def unknown_word_warnings(tokenizer: PreTrainedTokenizerFast, captions: Captions) -> list[str]:
    """A sentence that counts the words without a token and quotes the first one; else nothing."""
    known = tokenizer.get_vocab()
    unknown: dict[str, str] = {}
    for name, caption in captions:
        for word in _words(tokenizer, caption):
            if word not in known:
                unknown.setdefault(word.lstrip("▁"), name)
    if not unknown:
        return []
    count = "1 word has" if len(unknown) == 1 else f"{len(unknown)} words have"
    word, name = next(iter(unknown.items()))
    return [f"{count} no token in this base's tokenizer and cannot be generated, such as “{word}” of {name}."]


def new_words(tokenizer: PreTrainedTokenizerFast, captions: tuple[str, ...]) -> dict[str, int]:
    """Words that the base does not know, the most frequent first, to the ids of the unused tokens that they replace.

    Where there are more words than unused tokens, the rarest words stay unknown.
    """
    known = tokenizer.get_vocab()
    counts: Counter[str] = Counter()
    for caption in captions:
        counts.update(word for word in _words(tokenizer, caption) if word not in known)
    unused = sorted(index for word, index in known.items() if word.startswith(_UNUSED_PREFIX))
    by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
    return dict(zip(by_frequency, unused, strict=False))


def init_new_embeddings(model: Any, plan: Plan) -> None:
    """Initializes the new words' rows around the mean of the known words' rows.

    The rows of unused tokens are no good start: pretraining has taught the model never to generate them.
    """
    base = _read(plan.base.folder)
    new_ids = sorted(new_words(base, plan.captions).values())
    if not new_ids:
        return
    known = torch.tensor([i for word, i in base.get_vocab().items() if not word.startswith(_UNUSED_PREFIX)])
    generator, rows = torch.Generator().manual_seed(0), torch.tensor(new_ids)
    decoder = model.decoder
    with torch.no_grad():
        for weight in (decoder.get_input_embeddings().weight, decoder.get_output_embeddings().weight):
            known_rows = weight[known.to(weight.device)].float().cpu()
            noise = torch.randn(len(new_ids), known_rows.shape[1], generator=generator) * known_rows.std(0)
            weight[rows.to(weight.device)] = (known_rows.mean(0) + 0.5 * noise).to(weight)
        bias = decoder.get_output_embeddings().bias
        if bias is not None:
            bias[rows.to(bias.device)] = bias[known.to(bias.device)].mean()


def _words(tokenizer: PreTrainedTokenizerFast, caption: str) -> Iterator[str]:
    """The words of a caption as the tokenizer splits it."""
    backend = tokenizer.backend_tokenizer
    text = backend.normalizer.normalize_str(caption) if backend.normalizer else caption
    yield from (word for word, _ in backend.pre_tokenizer.pre_tokenize_str(text))


def _read(folder: Path) -> PreTrainedTokenizerFast:
    try:
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise Invalid("The base model has no tokenizer.json that can be read. Register it again.") from error


def _with_words(tokenizer: PreTrainedTokenizerFast, ids: dict[str, int]) -> PreTrainedTokenizerFast:
    """A copy of the tokenizer in which the words replace the tokens with these ids."""
    raw = json.loads(tokenizer.backend_tokenizer.to_str())
    replaced = {index: word for word, index in ids.items()}
    raw["model"]["vocab"] = {replaced.get(index, word): index for word, index in raw["model"]["vocab"].items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(raw)),
        pad_token=tokenizer.pad_token,
        bos_token=tokenizer.bos_token,
        eos_token=tokenizer.eos_token,
        unk_token=tokenizer.unk_token,
        model_max_length=tokenizer.model_max_length,
    )
