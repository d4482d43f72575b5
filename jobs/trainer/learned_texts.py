"""The texts that a run learns from: captions, and conversations where its base is asked questions."""

from collections.abc import Iterator

from jobs.families.questions import training_conversations, usual_question
from jobs.runs.spec import ClipSpec, TrainSpec
from jobs.trainer.split import Split
from orchestrator.domain.annotations import Annotations, Conversation
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import takes_question


def learned_texts(spec: TrainSpec, clip: ClipSpec) -> tuple[str, ...]:
    """The captions of a clip, and its answers where the base is asked questions."""
    texts = clip.annotated.texts if takes_question(spec.family) else clip.annotated.captions
    return tuple(text for text in texts if text.strip())


def usual_question_of(spec: TrainSpec, splits: Split) -> tuple[str, str]:
    """(question, system turn) with which most conversations of the training split begin; "" for a caption's."""
    if not takes_question(spec.family):
        return "", ""
    return usual_question(conversation for clip in splits.train for conversation in _conversations_of(clip))


def _conversations_of(clip: ClipSpec) -> list[Conversation]:
    annotated = clip.annotated
    return training_conversations({"captions": annotated.captions, "conversations": annotated.conversations})


def check_texts(spec: TrainSpec, splits: Split) -> list[str]:
    """Checks that each clip has a text that this base learns from; returns warnings.

    Raises:
        Invalid: the sentence names the clip.
    """
    clips = (*splits.train, *splits.validation)
    untaught = [clip for clip in clips if not learned_texts(spec, clip)]
    if untaught:
        name = untaught[0].name or "A clip"
        others = f" and {len(untaught) - 1} more have" if len(untaught) > 1 else " has"
        if untaught[0].annotated.conversations:
            raise Invalid(f"{name}{others} questions and no caption, and this base is not asked questions.")
        raise Invalid(f"{name}{others} no caption. Write one, or take the clip out.")
    unread = [clip for clip in clips if clip.annotated.conversations and not takes_question(spec.family)]
    if not unread:
        return []
    count = "1 clip has questions" if len(unread) == 1 else f"{len(unread)} clips have questions"
    return [f"{count}, which this base is not asked: it learns from the captions alone."]


def named_captions(splits: Split) -> list[tuple[str, str]]:
    """Each caption of both splits with the name of its clip."""
    return [(name, caption) for name, annotated in _named(splits) for caption in annotated.captions]


def named_conversations(splits: Split) -> list[tuple[str, Conversation]]:
    """Each conversation of both splits with the name of its clip."""
    return [(name, conversation) for name, annotated in _named(splits) for conversation in annotated.conversations]


def _named(splits: Split) -> Iterator[tuple[str, Annotations]]:
    for clip in (*splits.train, *splits.validation):
        yield clip.name or f"clip {clip.id}", clip.annotated
