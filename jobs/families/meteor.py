"""METEOR (Lavie and Agarwal 2007) by nltk, with its exact and stem modules.

The synonym module is left out: it needs WordNet, which is not on PyPI, and nothing is downloaded here. So figures are
lower than those of METEOR 1.5, which has paraphrases, too, and are not compared with them.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from jobs.families.words import words_of

_NO_SYNONYMS: Any = SimpleNamespace(synsets=lambda _: [])
"""In the place of WordNet."""


def meteor(predicted: str, references: Sequence[str]) -> float:
    """0 to 1: the best score over the references."""
    from nltk.stem.porter import PorterStemmer
    from nltk.translate.meteor_score import meteor_score

    words = [words_of(reference) for reference in references]
    return float(meteor_score(words, words_of(predicted), stemmer=PorterStemmer(), wordnet=_NO_SYNONYMS))
