"""What every family that writes sentences shares: generating for the held-out clips, and measuring what was said."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from jobs.families.protocol import Item, Items, Score
from orchestrator.domain.run_summary import Prediction

T = TypeVar("T")
SAMPLED_CLIPS = 16
"""Clips that are described at an evaluation during the run; at the end all of them are."""


def evaluate_captions(held: Items, final: bool, batch: int, say: Callable[[Sequence[Item]], list[str]]) -> Score:
    """Has `say` describe the clips, `batch` at a time, and compares with what people wrote."""
    chosen = range(len(held)) if final else evenly_spaced(range(len(held)), SAMPLED_CLIPS)
    references: list[list[str]] = []
    clips: list[Prediction] = []
    for start in range(0, len(chosen), batch):
        items = [held[index] for index in chosen[start : start + batch]]
        for item, said in zip(items, say(items), strict=True):
            references.append(list(item["captions"]))
            clips.append(
                Prediction(clip_id=item["clip_id"], reference=item["captions"][0], predicted=collapse_whitespace(said))
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

    exact = [said in [collapse_whitespace(one) for one in of] for said, of in zip(predicted, references, strict=True)]
    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    rouge = [
        scorer.score_multi(list(of), said)["rougeL"].fmeasure for said, of in zip(predicted, references, strict=True)
    ]
    most = max(len(of) for of in references)
    columns = [[of[index] if index < len(of) else None for of in references] for index in range(most)]
    bleu = BLEU(effective_order=True).corpus_score(list(predicted), columns)  # pyright: ignore[reportArgumentType]
    return {
        "eval_exact": sum(exact) / len(exact),
        "eval_rouge_l": sum(rouge) / len(rouge),
        "eval_bleu": bleu.score / 100,
    }


class _Words:
    """Words of any script; rouge-score's own tokenizer drops everything but a to z."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())


def evenly_spaced(of: Sequence[T], wanted: int) -> list[T]:
    """`wanted` of them, evenly apart; of few all."""
    return [of[int(index * len(of) / wanted)] for index in range(wanted)] if len(of) > wanted else list(of)


def collapse_whitespace(sentence: str) -> str:
    """Without blanks around it and with single ones inside."""
    return " ".join(sentence.split())
