"""Shared by all families that generate captions: evaluation on the validation split, metrics, choice of a caption."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from jobs.families.protocol import Item, Items, Score
from orchestrator.domain.run_summary import Prediction

T = TypeVar("T")
SAMPLED_CLIPS = 16
"""Clips for which a caption is generated at an evaluation during the run; at the end all of them are used."""


def evaluate_captions(
    validation: Items, final: bool, batch_size: int, generate: Callable[[Sequence[Item]], list[str]]
) -> Score:
    """Generates captions for the clips, `batch_size` at a time, and compares them with the references."""
    indices = range(len(validation)) if final else evenly_spaced(range(len(validation)), SAMPLED_CLIPS)
    references: list[list[str]] = []
    clips: list[Prediction] = []
    for start in range(0, len(indices), batch_size):
        items = [validation[index] for index in indices[start : start + batch_size]]
        for item, text in zip(items, generate(items), strict=True):
            captions = item["captions"]
            references.append(list(captions))
            clips.append(
                Prediction(clip_id=item["clip_id"], reference=captions[0], predicted=collapse_whitespace(text))
            )
    return Score(caption_metrics([clip.predicted or "" for clip in clips], references), clips)


def caption_metrics(predicted: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Exact match, ROUGE-L (F1, best of a clip's references) and BLEU over the whole set, all from 0 to 1.

    ROUGE-L as in Lin 2004 by rouge-score, BLEU as in Papineni et al. 2002 by sacrebleu.
    """
    if not predicted:
        return {}
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

    pairs = list(zip(predicted, references, strict=True))
    exact = [text in [collapse_whitespace(reference) for reference in captions] for text, captions in pairs]
    scorer = RougeScorer(["rougeL"], tokenizer=_WordTokenizer())
    rouge = [scorer.score_multi(list(captions), text)["rougeL"].fmeasure for text, captions in pairs]
    # sacrebleu takes one list for the first references, one for the second, ...
    most = max(len(captions) for captions in references)
    columns = [[captions[i] if i < len(captions) else None for captions in references] for i in range(most)]
    bleu = BLEU(effective_order=True).corpus_score(list(predicted), columns)  # pyright: ignore[reportArgumentType]
    return {
        "eval_exact": sum(exact) / len(exact),
        "eval_rouge_l": sum(rouge) / len(rouge),
        "eval_bleu": bleu.score / 100,
    }


class _WordTokenizer:
    """Words of any script; rouge-score's own tokenizer drops everything but a to z."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


def choose_caption(captions: Sequence[str], generator: torch.Generator | None) -> str:
    """One of a clip's captions: a random one for training, the first for evaluation (`generator` None)."""
    if generator is None or len(captions) == 1:
        return captions[0]
    return captions[int(torch.randint(len(captions), (1,), generator=generator))]


def evenly_spaced(items: Sequence[T], count: int) -> list[T]:
    """`count` of the items at equal distances; all of them where there are fewer."""
    if len(items) <= count:
        return list(items)
    return [items[int(index * len(items) / count)] for index in range(count)]


def collapse_whitespace(sentence: str) -> str:
    return " ".join(sentence.split())
