"""CIDEr-D (Vedantam et al. 2015), in the form of the COCO caption evaluation (`pycocoevalcap/cider`)."""

import math
from collections import Counter
from collections.abc import Sequence

from jobs.families.words import words_of

_LONGEST = 4
"""Runs of 1 to 4 words."""
_SIGMA = 6.0
_SCALE = 10.0
_Gram = tuple[str, ...]


def cider_d(predicted: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """The CIDEr-D score of each sentence; their mean is the score of the set, from 0 to 10.

    Words are lower-cased and without punctuation, where the COCO evaluation uses the tokenizer of the Penn Treebank.
    The document frequencies are those of the references: a run of words counts less, the more clips it describes.

    Args:
        predicted: a sentence for each clip.
        references: all captions of each clip.
    """
    grams_of_references = [[_grams(text) for text in texts] for texts in references]
    frequency: Counter[_Gram] = Counter()
    for of_clip in grams_of_references:
        frequency.update({gram for counts in of_clip for gram in counts})
    clips = math.log(len(references)) if references else 0.0

    def weigh(counts: Counter[_Gram]) -> tuple[list[dict[_Gram, float]], list[float], int]:
        """TF-IDF vectors by length of run, their norms, and how many runs of two words there are."""
        vectors: list[dict[_Gram, float]] = [{} for _ in range(_LONGEST)]
        for gram, count in counts.items():
            vectors[len(gram) - 1][gram] = count * (clips - math.log(max(1, frequency[gram])))
        norms = [math.sqrt(sum(value**2 for value in vector.values())) for vector in vectors]
        return vectors, norms, sum(count for gram, count in counts.items() if len(gram) == 2)

    scores = []
    for text, of_clip in zip(predicted, grams_of_references, strict=True):
        candidate = weigh(_grams(text))
        similar = [_similarity(candidate, weigh(counts)) for counts in of_clip]
        scores.append(_SCALE * sum(similar) / len(similar) if similar else 0.0)
    return scores


_Weighed = tuple[list[dict[_Gram, float]], list[float], int]


def _similarity(candidate: _Weighed, reference: _Weighed) -> float:
    """The mean over the lengths of run of the clipped cosine, with the penalty for another length of the sentence."""
    penalty = math.exp(-((candidate[2] - reference[2]) ** 2) / (2 * _SIGMA**2))
    total = 0.0
    for vector, norm, other, other_norm in zip(candidate[0], candidate[1], reference[0], reference[1], strict=True):
        if norm and other_norm:
            shared = sum(min(value, other.get(gram, 0.0)) * other.get(gram, 0.0) for gram, value in vector.items())
            total += shared / (norm * other_norm)
    return penalty * total / _LONGEST


def _grams(text: str) -> Counter[_Gram]:
    words = words_of(text)
    runs = [tuple(words[at : at + size]) for size in range(1, _LONGEST + 1) for at in range(len(words) - size + 1)]
    return Counter(runs)
