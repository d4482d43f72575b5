"""What a model that generates text learns about a clip, one conversation at a time, and what it is asked about it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from jobs.families.protocol import Item
from orchestrator.domain.annotations import CAPTION_QUESTION, Conversation, Turn


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question about a clip, asked at an evaluation."""

    conversation: Conversation
    """It ends with the question; the turns before it are told as they are annotated."""
    references: tuple[str, ...]
    """The answers that are right."""
    is_caption: bool = False
    """The question is the default one, which stands for captions."""

    @property
    def turn(self) -> Turn:
        """The question with its first answer."""
        return self.conversation.turns[-1]

    @property
    def text(self) -> str:
        """The question as the model reads it; "" where it asks for a caption."""
        return "" if self.is_caption else self.turn.asked


def caption_conversation(caption: str) -> Conversation:
    """A caption as the answer to the default question."""
    return Conversation((Turn(CAPTION_QUESTION, caption),))


def training_conversations(item: Item) -> list[Conversation]:
    """Everything that can be learned from a clip: a conversation for each caption, then its own conversations."""
    return [*map(caption_conversation, item["captions"]), *item.get("conversations", ())]


def choose_conversation(item: Item, generator: torch.Generator | None) -> Conversation:
    """One of a clip's conversations: a random one for training, the first for evaluation (`generator` None)."""
    conversations = training_conversations(item)
    return conversations[choose_index(len(conversations), generator)]


def choose_caption(captions: Sequence[str], generator: torch.Generator | None) -> str:
    """The same of captions, for a family that reads no question."""
    return captions[choose_index(len(captions), generator)]


def choose_index(count: int, generator: torch.Generator | None) -> int:
    """A random index below `count`; 0 without a generator. A single one draws no random number."""
    if generator is None or count == 1:
        return 0
    return int(torch.randint(count, (1,), generator=generator))


def asked_questions(item: Item) -> list[AskedQuestion]:
    """Every question about a clip, each once.

    The captions are the references of one question. A later turn of a conversation is asked after the earlier ones with
    their annotated answers. Where the very same is asked several times, the answers are references of one question.
    """
    captions: list[str] = list(item["captions"])
    asked = [AskedQuestion(caption_conversation(captions[0]), tuple(captions), is_caption=True)] if captions else []
    references: dict[tuple[str, tuple[Turn, ...], str], list[str]] = {}
    conversations: dict[tuple[str, tuple[Turn, ...], str], Conversation] = {}
    for conversation in item.get("conversations", ()):
        for index, turn in enumerate(conversation.turns):
            key = (conversation.system, conversation.turns[:index], turn.asked)
            conversations.setdefault(key, Conversation(conversation.turns[: index + 1], conversation.system))
            references.setdefault(key, []).append(turn.answer)
    return asked + [AskedQuestion(conversations[key], tuple(answers)) for key, answers in references.items()]


def usual_question(conversations: Iterable[Conversation]) -> tuple[str, str]:
    """(question, system turn) with which most conversations begin; ("", "") where it is the one of captions."""
    counts = Counter((conversation.turns[0].asked, conversation.system) for conversation in conversations)
    if not counts:
        return "", ""
    (question, system), _ = counts.most_common(1)[0]
    return ("" if question == CAPTION_QUESTION else question), system
