"""The texts that a run learns from: captions, and conversations where its base is asked questions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from jobs.families.questions import training_conversations, usual_question
from jobs.runs.spec import TrainSpec
from jobs.trainer.split import Split
from orchestrator.domain.annotations import Conversation
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import takes_question


@dataclass(frozen=True, slots=True)
class RunTexts:
    """What is written about the clips of both splits."""

    captions: list[tuple[str, str]]
    """Each caption with the name of its clip."""
    conversations: list[tuple[str, Conversation]]
    """Each conversation with the name of its clip."""


def training_texts(spec: TrainSpec, splits: Split) -> tuple[tuple[str, ...], str, str]:
    """The texts of the training split, and the (question, system turn) with which most conversations begin.

    Question and system turn are "" for a caption's.
    """
    texts, asks = list[str](), takes_question(spec.family)

    def conversations() -> Iterator[Conversation]:
        for clip in splits.train:
            annotated = clip.annotated
            texts.extend(text for text in (annotated.texts if asks else annotated.captions) if text.strip())
            if asks:
                yield from training_conversations(
                    {"captions": annotated.captions, "conversations": annotated.conversations}
                )

    question, system = usual_question(conversations())
    return tuple(texts), question, system


def check_texts(spec: TrainSpec, splits: Split) -> list[str]:
    """Checks that each clip has a text that this base learns from; returns warnings.

    Raises:
        Invalid: the sentence names the clip.
    """
    first, untaught, unread = None, 0, 0
    asks = takes_question(spec.family)
    for clip in chain(splits.train, splits.validation):
        annotated = clip.annotated
        unread += bool(annotated.conversations) and not asks
        if not any(text.strip() for text in (annotated.texts if asks else annotated.captions)):
            first, untaught = first or clip, untaught + 1
    if first is not None:
        name = first.name or "A clip"
        others = f" and {untaught - 1} more have" if untaught > 1 else " has"
        if first.annotated.conversations:
            raise Invalid(f"{name}{others} questions and no caption, and this base is not asked questions.")
        raise Invalid(f"{name}{others} no caption. Write one, or take the clip out.")
    if not unread:
        return []
    count = "1 clip has questions" if unread == 1 else f"{unread} clips have questions"
    return [f"{count}, which this base is not asked: it learns from the captions alone."]


def texts_of(splits: Split) -> RunTexts:
    """Everything that is written about the clips of both splits."""
    texts = RunTexts([], [])
    for clip in chain(splits.train, splits.validation):
        name, annotated = clip.name or f"clip {clip.id}", clip.annotated
        texts.captions.extend((name, caption) for caption in annotated.captions)
        texts.conversations.extend((name, conversation) for conversation in annotated.conversations)
    return texts
