"""Gives the small tokenizer the words of a dataset: each takes the place of a spare one that the base never used."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from jobs.families.protocol import Base, Captions, Plan
from orchestrator.domain.errors import Invalid

_SPARE = "<spare-"


def tokenizer_of(plan: Plan) -> PreTrainedTokenizerFast:
    """The base's tokenizer; the same clips always give the same words the same numbers.

    Raises:
        Invalid: the base has no tokenizer.
    """
    if plan.adapter is not None:
        return _read(plan.adapter)
    tokenizer = _read(plan.base.folder)
    fresh = new_words(tokenizer, plan.captions)
    return _with(tokenizer, fresh) if fresh else tokenizer


def check_length(base: Base, tokenizer: PreTrainedTokenizerFast, told: Captions) -> None:
    """Raises Invalid where a sentence has more words than the decoder has places."""
    limit = int(base.config.get("decoder", {}).get("max_position_embeddings", 64)) - 4
    for name, caption in told:
        found = len(tokenizer(caption).input_ids)
        if found > limit:
            raise Invalid(
                f"The caption of {name}, “{caption[:60]}…”, has more words than this base can say ({found - 2} of "
                f"{limit - 2} at most). Shorten it, or choose a larger base."
            )


def unknown_word_warnings(tokenizer: PreTrainedTokenizerFast, told: Captions) -> list[str]:
    """A sentence where words found no place in the tokenizer, with one of them; else nothing."""
    backend, known = tokenizer.backend_tokenizer, tokenizer.get_vocab()
    left: dict[str, str] = {}
    for name, caption in told:
        text = backend.normalizer.normalize_str(caption) if backend.normalizer else caption
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(text):
            if word not in known:
                left.setdefault(word.lstrip("▁"), name)
    if not left:
        return []
    many = "1 word has" if len(left) == 1 else f"{len(left)} words have"
    word, name = next(iter(left.items()))
    return [f"{many} no place in this base's tokenizer and cannot be said, such as “{word}” of {name}."]


def new_words(tokenizer: PreTrainedTokenizerFast, captions: tuple[str, ...]) -> dict[str, int]:
    """Words that the base does not know, the most frequent first, to the spare numbers they take.

    Where the spare places run out, the rarest words stay unknown.
    """
    backend, known = tokenizer.backend_tokenizer, tokenizer.get_vocab()
    counts: Counter[str] = Counter()
    for caption in captions:
        text = backend.normalizer.normalize_str(caption) if backend.normalizer else caption
        counts.update(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(text) if word not in known)
    spare = sorted(index for word, index in known.items() if word.startswith(_SPARE))
    order = sorted(counts, key=lambda word: (-counts[word], word))
    return dict(zip(order, spare, strict=False))


def init_new_embeddings(model: Any, tokenizer: PreTrainedTokenizerFast, plan: Plan) -> None:
    """Starts new words from the mean of the known ones: spare rows have only learned never to be said."""
    base = _read(plan.base.folder)
    fresh = sorted(new_words(base, plan.captions).values())
    if not fresh:
        return
    known = torch.tensor([i for word, i in base.get_vocab().items() if not word.startswith(_SPARE)])
    generator, rows = torch.Generator().manual_seed(0), torch.tensor(fresh)
    decoder = model.decoder
    with torch.no_grad():
        for weight in (decoder.get_input_embeddings().weight, decoder.get_output_embeddings().weight):
            old = weight[known.to(weight.device)].float().cpu()
            noise = torch.randn(len(fresh), old.shape[1], generator=generator) * old.std(0)
            weight[rows.to(weight.device)] = (old.mean(0) + 0.5 * noise).to(weight)
        bias = decoder.get_output_embeddings().bias
        if bias is not None:
            bias[rows.to(bias.device)] = bias[known.to(bias.device)].mean()


def _read(folder: Path) -> PreTrainedTokenizerFast:
    try:
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise Invalid("The base model has no tokenizer.json that can be read. Register it again.") from error


def _with(tokenizer: PreTrainedTokenizerFast, fresh: dict[str, int]) -> PreTrainedTokenizerFast:
    raw = json.loads(tokenizer.backend_tokenizer.to_str())
    taken = {index: word for word, index in fresh.items()}
    raw["model"]["vocab"] = {taken.get(index, word): index for word, index in raw["model"]["vocab"].items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(raw)),
        pad_token=tokenizer.pad_token,
        bos_token=tokenizer.bos_token,
        eos_token=tokenizer.eos_token,
        unk_token=tokenizer.unk_token,
        model_max_length=tokenizer.model_max_length,
    )
