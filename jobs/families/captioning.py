"""Shared by all families that generate text: evaluation on the validation split, metrics of captions and answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from statistics import fmean
from typing import TypeVar

from jobs.families.answer_metrics import answer_score, answer_scores
from jobs.families.cider import cider_d
from jobs.families.intervals import mean_intervals
from jobs.families.meteor import meteor
from jobs.families.protocol import Item, Items, Score
from jobs.families.questions import AskedQuestion, asked_questions
from jobs.families.words import words_of
from orchestrator.domain.run_summary import Prediction, RunSummary

T = TypeVar("T")
SAMPLED_CLIPS = 16
"""Clips for which a caption is generated at an evaluation during the run; at the end all of them are used."""


Generate = Callable[[Sequence[Item], Sequence[AskedQuestion]], list[str]]
"""An answer for each clip and the question that is asked about it."""


def evaluate_answers(
    validation: Items,
    final: bool,
    batch_size: int,
    generate: Generate,
    can_ask: Callable[[AskedQuestion], bool] = lambda _: True,
) -> Score:
    """Asks every question about every clip, `batch_size` at a time, and compares the answers with the references.

    During the run some clips are asked one question each.

    Args:
        can_ask: False for a question that does not fit the base's context.
    """
    asked: list[AskedQuestion] = []
    rows: list[Prediction] = []
    for batch in _batches(_pairs(validation, final, can_ask), batch_size):
        items, questions = [item for item, _, _ in batch], [question for _, _, question in batch]
        for (item, number, question), text in zip(batch, generate(items, questions), strict=True):
            asked.append(question)
            rows.append(_prediction(item, number, question, collapse_whitespace(text)))
    predicted = [row.predicted or "" for row in rows]
    scores = caption_scores(predicted, [question.references for question in asked])
    values = caption_metrics(predicted, [question.references for question in asked], scores)
    answers = answer_scores(asked, predicted)
    values |= {name: fmean(of_questions) for name, of_questions in answers.items()}
    if not (final and rows):
        return Score(values, rows)
    intervals = mean_intervals(scores)
    for name, of_questions in answers.items():  # as many as questions of a kind, so resampled by themselves
        intervals |= mean_intervals({name: of_questions})
    return Score(values, rows, RunSummary(intervals=intervals))


def _pairs(
    validation: Items, final: bool, can_ask: Callable[[AskedQuestion], bool]
) -> Iterator[tuple[Item, int, AskedQuestion]]:
    """(clip, number of the question among the clip's, question)."""
    indices = range(len(validation)) if final else evenly_spaced(range(len(validation)), SAMPLED_CLIPS)
    for place, index in enumerate(indices):
        item = validation[index]
        questions = [pair for pair in enumerate(asked_questions(item)) if can_ask(pair[1])]
        chosen = questions if final or not questions else [chosen_of_clip(questions, place)]
        yield from ((item, number, question) for number, question in chosen)


def chosen_of_clip(questions: Sequence[T], place: int) -> T:
    """The question that the clip at this place among those of an evaluation is asked during the run.

    Not the first of each clip: datasets often begin each clip with the same question.
    """
    return questions[place % len(questions)]


def _batches(pairs: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(pairs, size)):
        yield batch


def _prediction(item: Item, number: int, question: AskedQuestion, text: str) -> Prediction:
    """What was asked, expected and answered; the question's fields only where it is not the one of captions."""
    row = Prediction(clip_id=item["clip_id"], reference=question.references[0], predicted=text)
    if question.is_caption:
        return row
    score = round(answer_score(question, text), 4)
    return row.merged(Prediction(question=question.text, number=number, score=score))


def caption_scores(predicted: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, list[float]]:
    """The scores of each sentence by metric: exact match, as it is and normalized, CIDEr-D, METEOR, and ROUGE-L.

    ROUGE-L (F1, best of a clip's references) as in Lin 2004 by rouge-score; CIDEr-D from 0 to 10, the others to 1.
    """
    if not predicted:
        return {}
    from rouge_score.rouge_scorer import RougeScorer

    pairs = list(zip(predicted, references, strict=True))
    scorer = RougeScorer(["rougeL"], tokenizer=_WordTokenizer())
    return {
        "eval_exact": [
            float(text in [collapse_whitespace(reference) for reference in captions]) for text, captions in pairs
        ],
        "eval_exact_normalized": [
            float(words_of(text) in [words_of(reference) for reference in captions]) for text, captions in pairs
        ],
        "eval_cider": cider_d(predicted, references),
        "eval_meteor": [meteor(text, captions) for text, captions in pairs],
        "eval_rouge_l": [scorer.score_multi(list(captions), text)["rougeL"].fmeasure for text, captions in pairs],
    }


def caption_metrics(
    predicted: Sequence[str], references: Sequence[Sequence[str]], scores: Mapping[str, Sequence[float]] | None = None
) -> dict[str, float]:
    """The means of `caption_scores`, and BLEU over the whole set, as in Papineni et al. 2002 by sacrebleu."""
    if not predicted:
        return {}
    from sacrebleu.metrics.bleu import BLEU

    scores = scores or caption_scores(predicted, references)
    # sacrebleu takes one list for the first references, one for the second, ...
    most = max(len(captions) for captions in references)
    columns = [[captions[i] if i < len(captions) else None for captions in references] for i in range(most)]
    bleu = BLEU(effective_order=True).corpus_score(list(predicted), columns)  # pyright: ignore[reportArgumentType]
    means = {name: sum(values) / len(values) for name, values in scores.items()}
    return means | {"eval_cider": round(means["eval_cider"], 4), "eval_bleu": bleu.score / 100}


class _WordTokenizer:
    """Words of any script; rouge-score's own tokenizer drops everything but a to z."""

    def tokenize(self, text: str) -> list[str]:
        return words_of(text)


def evenly_spaced(items: Sequence[T], count: int) -> list[T]:
    """`count` of the items at equal distances; all of them where there are fewer."""
    if len(items) <= count:
        return list(items)
    return [items[int(index * len(items) / count)] for index in range(count)]


def collapse_whitespace(sentence: str) -> str:
    return " ".join(sentence.split())
