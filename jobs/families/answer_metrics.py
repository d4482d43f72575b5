"""How right the answers to questions are: VQA accuracy for free answers, accuracy for multiple choice."""

import re
import unicodedata
from collections.abc import Sequence

from jobs.families.questions import AskedQuestion
from orchestrator.domain.annotations import OPTION_LETTERS

_ARTICLES = frozenset({"a", "an", "the"})
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)} | {"none": "0"}
_ANNOTATORS = 4
"""From so many answers to one question on, VQA accuracy counts how many people agree."""
_LETTER = re.compile(r"\(?([A-Za-z])(?:\s*[).:].*)?", re.DOTALL)


def answer_score(asked: AskedQuestion, predicted: str) -> float:
    """0 to 1: how right an answer is."""
    if asked.turn.options:
        return float(chosen_option(asked.turn.options, predicted) in asked.references)
    return vqa_accuracy(predicted, asked.references)


def answer_scores(asked: Sequence[AskedQuestion], predicted: Sequence[str]) -> dict[str, list[float]]:
    """The score of each free answer and of each multiple choice; an entry for each kind that was asked."""
    scores: dict[str, list[float]] = {}
    for question, text in zip(asked, predicted, strict=True):
        if not question.is_caption:
            name = "eval_choice_accuracy" if question.turn.options else "eval_answer_accuracy"
            scores.setdefault(name, []).append(answer_score(question, text))
    return scores


def vqa_accuracy(predicted: str, references: Sequence[str]) -> float:
    """VQA accuracy (Antol et al. 2015) over normalized answers.

    An answer counts fully that three of the other annotators gave, averaged over leaving out each annotator. With fewer
    than four annotated answers, it counts fully where it equals one of them.
    """
    answer = normalize_answer(predicted)
    matches = [normalize_answer(reference) == answer for reference in references]
    if len(references) < _ANNOTATORS:
        return float(any(matches))
    return sum(min(1.0, (sum(matches) - match) / 3) for match in matches) / len(matches)


def normalize_answer(text: str) -> str:
    """Without case, punctuation and articles, numbers up to ten as digits: what the VQA evaluation compares.

    Points and commas between digits stay: 1.5 is not 15.
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    text = re.sub(r"(?<!\d)[.,]|[.,](?!\d)", " ", text)
    words = re.sub(r"[^\w\s.,]", " ", text).split()
    return " ".join(_DIGITS.get(word, word) for word in words if word not in _ARTICLES)


def chosen_option(options: Sequence[str], predicted: str) -> str | None:
    """The option that an answer names: by its text, by its letter, or by both as in "B. red"; None where none is."""
    answer = normalize_answer(predicted)
    for option in options:
        if normalize_answer(option) == answer:
            return option
    letter = _LETTER.fullmatch(predicted.strip())
    index = OPTION_LETTERS.find(letter[1].upper()) if letter else -1
    return options[index] if 0 <= index < len(options) else None
