"""The texts that a run learns from: captions, and conversations where its base is asked questions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from jobs.families.questions import training_conversations, usual_question
from jobs.runs.clip_spec import ClipSpec
from jobs.runs.spec import TrainSpec
from jobs.trainer.split import Split
from orchestrator.domain.annotations import Annotations, Conversation
from orchestrator.domain.errors import Invalid
from orchestrator.domain.families import takes_question

NamedAnnotations = tuple[str, Annotations]
"""A clip's name for sentences, and everything that is written about it."""


@dataclass(frozen=True, slots=True)
class RunAnnotations:
    """What is written about the clips of both splits: read once, because a manifest is parsed at each access."""

    training: Sequence[NamedAnnotations]
    validation: Sequence[NamedAnnotations]

    @property
    def of_both(self) -> Iterator[NamedAnnotations]:
        """Those of the training clips, then those of the validation clips."""
        return chain(self.training, self.validation)

    @property
    def captions(self) -> list[tuple[str, str]]:
        """Each caption with the name of its clip."""
        return [(name, caption) for name, annotated in self.of_both for caption in annotated.captions]

    @property
    def conversations(self) -> list[tuple[str, Conversation]]:
        """Each conversation with the name of its clip."""
        return [(name, talk) for name, annotated in self.of_both for talk in annotated.conversations]


def read_annotations(splits: Split) -> RunAnnotations:
    """The annotations of both splits, each in the order of its clips."""
    return RunAnnotations(_named(splits.train), _named(splits.validation))


def labels_in(annotations: Iterable[NamedAnnotations]) -> Iterator[str]:
    """Each label of each clip."""
    return (label for _, annotated in annotations for label in annotated.labels)


def training_texts(spec: TrainSpec, annotations: RunAnnotations) -> tuple[tuple[str, ...], str, str]:
    """The texts of the training split, and the (question, system turn) with which most conversations begin.

    Question and system turn are "" for a caption's.
    """
    texts, asks = list[str](), takes_question(spec.family)

    def conversations() -> Iterator[Conversation]:
        for _, annotated in annotations.training:
            texts.extend(text for text in (annotated.texts if asks else annotated.captions) if text.strip())
            if asks:
                yield from training_conversations(
                    {"captions": annotated.captions, "conversations": annotated.conversations}
                )

    question, system = usual_question(conversations())
    return tuple(texts), question, system


def check_texts(spec: TrainSpec, annotations: RunAnnotations) -> list[str]:
    """Checks that each clip has a text that this base learns from; returns warnings.

    Raises:
        Invalid: the sentence names the clip.
    """
    first, untaught, unread = None, 0, 0
    asks = takes_question(spec.family)
    for name, annotated in annotations.of_both:
        unread += bool(annotated.conversations) and not asks
        if not any(text.strip() for text in (annotated.texts if asks else annotated.captions)):
            first, untaught = first or (name, annotated), untaught + 1
    if first is not None:
        name, annotated = first
        others = f" and {untaught - 1} more have" if untaught > 1 else " has"
        if annotated.conversations:
            raise Invalid(f"{name}{others} questions and no caption, and this base is not asked questions.")
        raise Invalid(f"{name}{others} no caption. Write one, or take the clip out.")
    if not unread:
        return []
    count = "1 clip has questions" if unread == 1 else f"{unread} clips have questions"
    return [f"{count}, which this base is not asked: it learns from the captions alone."]


def _named(clips: Iterable[ClipSpec]) -> list[NamedAnnotations]:
    return [(clip.name or f"Clip {clip.id}", clip.annotated) for clip in clips]
