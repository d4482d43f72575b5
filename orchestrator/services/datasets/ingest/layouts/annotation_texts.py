"""Makes annotations from the values of annotation files; tells class names from captions where no header does."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.annotations import LABEL_LIMIT, Annotations, Conversation, Turn, annotation_problem
from orchestrator.services.datasets.text_repair import normalize_text

_MAX_CAPTION_REPEATS, _MIN_LABEL_REPEATS = 0.9, 0.5
_TEXT_KEYS = ("caption", "text", "sentence", "label", "name", "value", "description")
_LINE_MARKS = re.compile("[\x0b\x0c\x1c-\x1e\x85]+")
"""Control characters that separate lines inside a text; U+2028 takes their place, because they cannot be shown."""


def values_of_texts(texts: list[str]) -> list[dict[str, str]]:
    """The text of each clip as {"label"}, {"caption"}, or both.

    Class names repeat, captions hardly do: texts with blanks are captions when more than 90 % differ, and class names
    when at most half of them differ; between these the task decides, so that they are given as both.
    """
    share = len(set(texts)) / len(texts) if texts else 0
    captions = any(" " in text.strip() for text in texts) and share > _MIN_LABEL_REPEATS
    labels = not captions or (share <= _MAX_CAPTION_REPEATS and all(len(text) <= LABEL_LIMIT for text in texts))
    return [({"label": text} if labels else {}) | ({"caption": text} if captions else {}) for text in texts]


def plain(value: Any) -> str:
    """A value as normalized text without control and direction marks; "" for None, NaN, lists and objects."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalize_text(_LINE_MARKS.sub("\u2028", str(value).replace("\r\n", "\n").replace("\r", "\n"))).strip()


def stated_annotations(labels: Any, captions: Any, conversations: Iterable[Conversation]) -> Annotations:
    """The annotations of a row, with plain texts.

    Args:
        labels, captions: a value, or a list of them; empty ones are no annotation.
        conversations: turns without an answer are left out; an answer without any question is a caption.
    """
    talks = [_plain_conversation(talk) for talk in conversations]
    unasked = [talk.turns[0].answer for talk in talks if _is_caption(talk)]
    return Annotations(
        tuple(dict.fromkeys(_texts(labels))),
        (*_texts(captions), *unasked),
        tuple(talk for talk in talks if talk.turns and not _is_caption(talk)),
    )


def unanswered(conversations: Iterable[Conversation]) -> int:
    """How many questions of these conversations have no answer."""
    return sum(bool(turn.question) and not plain(turn.answer) for talk in conversations for turn in talk.turns)


def added_to(first: Annotations, further: Annotations) -> Annotations:
    """The annotations of a clip with what a further row adds.

    Captions and conversations that it does not have yet are added. Labels are added only where one of the two lists
    several: two single labels that differ contradict each other, and the first one stays.
    """
    several = max(len(first.labels), len(further.labels)) > 1
    labels = (*first.labels, *further.labels) if several or not first.labels else first.labels
    return Annotations(
        tuple(dict.fromkeys(labels)),
        first.captions + _missing_in(first.captions, further.captions),
        first.conversations + _missing_in(first.conversations, further.conversations),
    )


def contradicts(first: Annotations, further: Annotations) -> bool:
    """Whether both have one label, and not the same."""
    return len(first.labels) == len(further.labels) == 1 and first.labels != further.labels


def limit_problem(name: str, file: str, annotations: Annotations) -> str:
    """The sentence about annotations that cannot be kept, such as a text that is too long; "" where all can.

    Args:
        name: the clip.
        file: the annotation file.
    """
    if (problem := annotation_problem(annotations)) is None:
        return ""
    return f"{PurePosixPath(name).name} in {PurePosixPath(file).name}: {problem[1]} Correct it there."


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list | tuple) else [value]
    return [text for item in items if (text := plain(_named_text(item)))]


def _named_text(value: Any) -> Any:
    """The text of an object such as {"id": 1, "caption": "a dog"}; other values stay as they are."""
    if not isinstance(value, dict):
        return value
    return next((value[key] for key in _TEXT_KEYS if value.get(key) not in (None, "")), None)


def _plain_conversation(talk: Conversation) -> Conversation:
    turns = (
        Turn(
            plain(turn.question), plain(turn.answer), tuple(option for text in turn.options if (option := plain(text)))
        )
        for turn in talk.turns
    )
    return Conversation(tuple(turn for turn in turns if turn.answer), plain(talk.system))


def _is_caption(talk: Conversation) -> bool:
    return len(talk.turns) == 1 and not talk.turns[0].question and not talk.system


def _missing_in(present: Sequence[Any], further: Sequence[Any]) -> tuple[Any, ...]:
    known = set(present)
    return tuple(item for item in further if item not in known)
