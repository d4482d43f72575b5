"""What is written about a clip: labels, captions and conversations, each a list, and the span of its film.

Most clips have one label, one caption or one question with its answer. These stand in the columns `label`, `caption`
and `prompt` of a clip (the short form), which lists and searches read. Whatever they cannot hold stands in the column
`annotations` as well; `annotations_of` and `short_form` translate between the two.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

LABEL_LIMIT, TEXT_LIMIT, QUESTION_LIMIT = 200, 4_000, 2_000
"""Characters of a label, of a caption or an answer, and of a question with its options or a system turn."""
ITEM_LIMIT = 1_000
"""How many labels, captions, conversations, or turns of a conversation a clip may have."""
OPTION_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CAPTION_QUESTION = "Describe the video."
"""What a model that answers questions is asked for a caption."""


class AnnotationKind(StrEnum):
    """The kinds of annotation that a task may take."""

    LABEL = "label"
    """One class."""
    LABELS = "labels"
    """Several classes."""
    CAPTIONS = "captions"
    """Texts of which each describes the whole clip."""
    CONVERSATIONS = "conversations"
    """Questions with their answers."""

    @property
    def word(self) -> str:
        """As sentences name what a task takes: "takes captions or questions with answers"."""
        return _KIND_WORDS[self]


_KIND_WORDS = {
    AnnotationKind.LABEL: "one label",
    AnnotationKind.LABELS: "several labels",
    AnnotationKind.CAPTIONS: "captions",
    AnnotationKind.CONVERSATIONS: "questions with answers",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer."""

    question: str
    answer: str
    options: tuple[str, ...] = ()
    """The choices of a multiple-choice question, of which the answer is one."""

    @property
    def asked(self) -> str:
        """The question as a model reads it: with its options, a lettered line for each."""
        lines = [f"{letter}. {text}" for letter, text in zip(OPTION_LETTERS, self.options, strict=False)]
        return "\n".join([self.question, *lines])


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns that follow each other. Questions that do not are conversations of one turn each."""

    turns: tuple[Turn, ...]
    system: str = ""

    def rewritten(self, rewrite: Callable[[str], str]) -> "Conversation":
        """The conversation with each text rewritten."""
        turns = (
            Turn(rewrite(turn.question), rewrite(turn.answer), tuple(map(rewrite, turn.options))) for turn in self.turns
        )
        return Conversation(tuple(turns), rewrite(self.system))


@dataclass(frozen=True, slots=True)
class Annotations:
    """Everything that is written about a clip."""

    labels: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    """Texts of which each describes the whole clip. A text may have several lines."""
    conversations: tuple[Conversation, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is written."""
        return bool(self.labels or self.captions or self.conversations)

    @property
    def kinds(self) -> frozenset[AnnotationKind]:
        """The kinds that these annotations have."""
        counts = {
            AnnotationKind.LABEL: len(self.labels) == 1,
            AnnotationKind.LABELS: len(self.labels) > 1,
            AnnotationKind.CAPTIONS: bool(self.captions),
            AnnotationKind.CONVERSATIONS: bool(self.conversations),
        }
        return frozenset(kind for kind, present in counts.items() if present)

    @property
    def texts(self) -> tuple[str, ...]:
        """Each caption and each answer."""
        return (*self.captions, *(turn.answer for talk in self.conversations for turn in talk.turns))

    @property
    def all_texts(self) -> tuple[str, ...]:
        """Each label, caption, question, option, answer and system turn."""
        found: list[str] = []
        self.rewritten(lambda text: found.append(text) or text, labels=True)
        return tuple(found)

    def reference_for(self, question: str) -> str:
        """What is right for a question: its answer, else the first caption; "" where neither is known.

        Args:
            question: as it was asked, with or without its options.
        """
        turns = [turn for talk in self.conversations for turn in talk.turns]
        answers = (turn.answer for turn in turns if question in (turn.question, turn.asked))
        return next(answers, next(iter(self.captions), ""))

    def rewritten(self, rewrite: Callable[[str], str], labels: bool = False) -> "Annotations":
        """The annotations with each caption, question, option, answer and system turn rewritten; labels where asked."""
        names = tuple(dict.fromkeys(map(rewrite, self.labels))) if labels else self.labels
        return Annotations(
            names, tuple(map(rewrite, self.captions)), tuple(talk.rewritten(rewrite) for talk in self.conversations)
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object without empty lists."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Annotations":
        """The annotations of a JSON object; the counterpart of `to_json`."""
        return cls(
            tuple(map(str, value.get("labels") or ())),
            tuple(map(str, value.get("captions") or ())),
            tuple(_conversation(talk) for talk in value.get("conversations") or ()),
        )

    def __str__(self) -> str:
        """The JSON text, as the column and the history of edits keep it; "" for none."""
        content = self.to_json()
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")) if content else ""

    @classmethod
    def parse(cls, text: str | None) -> "Annotations":
        """The annotations of a JSON text; the counterpart of `str`."""
        return cls.from_json(json.loads(text)) if text else cls()


_NOTHING = Annotations()
"""One object for all clips of which the short form says everything."""


def _conversation(value: Mapping[str, Any]) -> Conversation:
    turns = tuple(
        Turn(str(turn["question"]), str(turn["answer"]), tuple(map(str, turn.get("options") or ())))
        for turn in value["turns"]
    )
    return Conversation(turns, str(value.get("system") or ""))


def annotations_of(label: str, caption: str, prompt: str, more: Annotations | None = None) -> Annotations:
    """The annotations of a clip from its columns.

    Args:
        prompt: the question that the caption answers; "" where the caption is a caption.
        more: the column `annotations`, which counts where it has something.
    """
    if more:
        return more
    labels = (label,) if label else ()
    if prompt and caption:
        return Annotations(labels, (), (Conversation((Turn(prompt, caption),)),))
    return Annotations(labels, (caption,) if caption else ())


def short_form(annotations: Annotations) -> tuple[str, str, str, Annotations]:
    """The values of the columns `label`, `caption`, `prompt` and `annotations`.

    The last is empty where the first three say everything. Else they have what a list shows: the labels with commas,
    the first caption, or the first question and its answer.
    """
    label = ", ".join(annotations.labels)
    if len(label) > LABEL_LIMIT:
        label = f"{label[: LABEL_LIMIT - 1]}…"
    turn = annotations.conversations[0].turns[0] if annotations.conversations else None
    caption, prompt = (turn.answer, turn.asked) if turn else ("".join(annotations.captions[:1]), "")
    says_all = annotations_of(label, caption, prompt) == annotations
    return label, caption, prompt[:QUESTION_LIMIT], _NOTHING if says_all else annotations


def with_label(annotations: Annotations, label: str) -> Annotations:
    """The annotations with this one label; "" for none."""
    return replace(annotations, labels=(label,) if label else ())


def with_text(annotations: Annotations, text: str) -> Annotations:
    """The annotations with another text in place of the one that a list shows: the first answer, or first caption.

    Args:
        text: "" removes it.
    """
    if not annotations.conversations:
        return replace(annotations, captions=((text,) if text else ()) + annotations.captions[1:])
    first, *others = annotations.conversations
    turns = ((replace(first.turns[0], answer=text),) if text else ()) + first.turns[1:]
    talks = (replace(first, turns=turns), *others) if turns else tuple(others)
    return replace(annotations, conversations=talks)


def annotation_problem(annotations: Annotations) -> tuple[str, str] | None:
    """(field, sentence) of the first thing that cannot be kept: too long, too many, or empty; None when all can."""
    for name in ("labels", "captions", "conversations"):
        items: Sequence[Any] = getattr(annotations, name)
        if len(items) > ITEM_LIMIT:
            return name, f"A clip may have at most {ITEM_LIMIT:,} {name}; these are {len(items):,}."
    if len(set(annotations.labels)) < len(annotations.labels):
        return "labels", "A label stands twice. Each label may be given once."
    texts = [("labels", "A label", label, LABEL_LIMIT) for label in annotations.labels]
    texts += [("captions", "A caption", caption, TEXT_LIMIT) for caption in annotations.captions]
    for talk in annotations.conversations:
        if not 1 <= len(talk.turns) <= ITEM_LIMIT:
            return "conversations", f"A conversation has 1 to {ITEM_LIMIT:,} turns."
        if len(talk.system) > QUESTION_LIMIT:
            return "conversations", f"A system turn may have at most {QUESTION_LIMIT:,} characters."
        for turn in talk.turns:
            if turn.options and turn.answer not in turn.options:
                return "conversations", "The answer of a multiple-choice question must be one of its options."
            if len(turn.options) > len(OPTION_LETTERS):
                return "conversations", f"A question may have at most {len(OPTION_LETTERS)} options."
            texts += [
                ("conversations", "A question with its options", turn.asked, QUESTION_LIMIT),
                ("conversations", "An answer", turn.answer, TEXT_LIMIT),
            ]
    for field, what, text, limit in texts:
        if not 1 <= len(text.strip()) <= limit:
            return field, f"{what} has 1 to {limit:,} characters; this one has {len(text.strip()):,}."
    return None


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a film, in seconds from its first picture; the film itself is not cut."""

    start_s: float
    end_s: float

    def __str__(self) -> str:
        """As sentences name it: "0.5 to 4 s"."""
        return f"{round(self.start_s, 2):g} to {round(self.end_s, 2):g} s"


class AnnotatedClip:
    """Reads what is written about a clip, and its span, from attributes that are named like the columns of `Clip`."""

    __slots__ = ()
    label: str
    caption: str
    prompt: str
    annotations: Annotations
    start_s: float | None
    end_s: float | None

    @property
    def annotated(self) -> Annotations:
        """Everything that is written about the clip."""
        return annotations_of(self.label, self.caption, self.prompt, self.annotations)

    @property
    def span(self) -> Span | None:
        """The part of the film that the clip is; None for all of it."""
        return None if self.start_s is None or self.end_s is None else Span(self.start_s, self.end_s)
