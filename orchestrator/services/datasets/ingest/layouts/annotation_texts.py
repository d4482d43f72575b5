"""Tells class names from captions, where a list has a text for each clip and no header says what it is."""

from orchestrator.services.datasets.ingest.layouts.entry import LABEL_LIMIT

_MAX_CAPTION_REPEATS, _MIN_LABEL_REPEATS = 0.9, 0.5


def values_of_texts(texts: list[str]) -> list[dict[str, str]]:
    """The text of each clip as {"label"}, {"caption"}, or both.

    Class names repeat, captions hardly do: texts with blanks are captions when more than 90 % differ, and class names
    when at most half of them differ; between these the task decides, so that they are given as both.
    """
    share = len(set(texts)) / len(texts) if texts else 0
    captions = any(" " in text.strip() for text in texts) and share > _MIN_LABEL_REPEATS
    labels = not captions or (share <= _MAX_CAPTION_REPEATS and all(len(text) <= LABEL_LIMIT for text in texts))
    return [({"label": text} if labels else {}) | ({"caption": text} if captions else {}) for text in texts]
