"""Writes a question, or a whole chat, as the text that a video language model reads, with `{clip}` for the clip."""

from collections.abc import Iterator
from typing import Any

from transformers import PreTrainedTokenizerBase

from jobs.families.protocol import Question
from jobs.families.video_llm.architecture import Architecture
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import ChatTurn

QUESTION = "Describe the video."
"""What a run trains with, and what is asked where a user asks nothing."""


def build_prompt(
    tokenizer: PreTrainedTokenizerBase, architecture: Architecture, question: Question | None = None
) -> str:
    """The prompt in the base's own chat template, else in the form that its family is known to read.

    Args:
        question: of a user, with the turns before it; None for the one that a run trains with.

    Raises:
        Invalid: there are earlier turns, and no template that formats them.
    """
    system, turns = "", [ChatTurn("user", QUESTION, shows_clip=True)]
    if question is not None:
        plain = _TextFilter(tokenizer, architecture.video_placeholder)
        system, turns = plain.clean(question.system), _turns(question, plain)
    uses_template = bool(tokenizer.chat_template) and architecture.uses_chat_template
    for messages in _message_forms(system, turns) if uses_template else ():
        text = _format(tokenizer, messages)
        if text.count(architecture.video_placeholder) != 1:
            continue
        # A template is a program and may omit turns that it does not expect.
        if not question or _has_in_order(text, [system, *(turn.text for turn in turns)]):
            return text.replace(architecture.video_placeholder, "{clip}")
    if len(turns) > 1:
        raise Invalid(
            "This base has no chat template that formats several turns, so it reads one question at a time. Send the "
            "last question with its clip, without the turns before it.",
            "messages",
        )
    return architecture.prompt.replace("{question}", "\n".join(filter(None, (system, turns[0].text))))


class _TextFilter:
    """Removes the tokens that would represent a clip or end a turn from a user's texts."""

    def __init__(self, tokenizer: Any, video_placeholder: str) -> None:
        special = {"{clip}", "{question}", video_placeholder, *map(str, tokenizer.get_added_vocab())}
        self._special = sorted(special, key=len, reverse=True)

    def clean(self, text: str) -> str:
        for token in self._special:
            text = text.replace(token, " ")
        return " ".join(text.split())


def _turns(question: Question, plain: _TextFilter) -> list[ChatTurn]:
    """The chat with the question as its last turn; exactly one of the turns shows the clip."""
    earlier = [ChatTurn(turn.role, plain.clean(turn.text), turn.shows_clip) for turn in question.earlier]
    shown = any(turn.shows_clip for turn in earlier)
    return [*earlier, ChatTurn("user", plain.clean(question.text) or QUESTION, not shown)]


def _message_forms(system: str, turns: list[ChatTurn]) -> Iterator[list[dict[str, Any]]]:
    """The chat in the forms that templates know: with a role for instructions or without, texts as parts or plain."""
    first, *rest = turns
    for role in (True, False) if system else (False,):
        chat = [ChatTurn("system", system), *turns]
        if not role:
            text = "\n".join(filter(None, (system, first.text)))
            chat = [ChatTurn(first.role, text, first.shows_clip), *rest]
        for as_parts in (True, False):
            yield [_message(turn, as_parts) for turn in chat]


def _message(turn: ChatTurn, as_parts: bool) -> dict[str, Any]:
    text = {"type": "text", "text": turn.text}
    if turn.shows_clip:
        return {"role": turn.role, "content": [{"type": "video"}, text]}
    return {"role": turn.role, "content": [text] if as_parts else turn.text}


def _format(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, Any]]) -> str:
    """The chat in the base's template; nothing where the template cannot format it."""
    try:
        return str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    except Exception:
        return ""


def _has_in_order(text: str, parts: list[str]) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
