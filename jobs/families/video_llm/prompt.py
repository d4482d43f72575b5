"""Writes a chat about a clip as the parts of the text that a video language model reads.

A chat is formatted with marks in the place of people's texts, so that what is a text and what is the template's own is
known whatever the texts say. The base's own chat template does it; where there is none, or it cannot format the chat,
the form that the family is known to read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from transformers import PreTrainedTokenizerBase

from jobs.families.protocol import Question
from jobs.families.video_llm.architecture import Architecture
from orchestrator.domain.annotations import CAPTION_QUESTION, Conversation
from orchestrator.domain.errors import Invalid
from orchestrator.domain.playground import ChatTurn

_MARK = re.compile("\ue000(\\d+)\ue001")
_SYSTEM = 0
"""The number of the system turn's mark; those of the other turns follow."""


class PartKind(Enum):
    """What a part of a chat's text is."""

    TEMPLATE = "template"
    """Written by the template; its special tokens count."""
    CLIP = "clip"
    """The place of the clip; without text."""
    TEXT = "text"
    """Written by people: no token in it is special."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a chat's text."""

    text: str
    kind: PartKind = PartKind.TEMPLATE
    learned: bool = False
    """It belongs to an answer: its tokens count in the loss."""


_CLIP = Part("", PartKind.CLIP)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat about one clip. It ends with a question, or with an answer that is learned."""

    turns: tuple[ChatTurn, ...]
    system: str = ""


def chat_of(conversation: Conversation, answers_last: bool) -> Chat:
    """A conversation with the clip in its first turn; without its last answer unless `answers_last`."""
    turns: list[ChatTurn] = []
    for turn in conversation.turns:
        turns += [ChatTurn("user", turn.asked, shows_clip=not turns), ChatTurn("assistant", turn.answer)]
    return Chat(tuple(turns if answers_last else turns[:-1]), conversation.system)


def chat_of_question(question: Question, default: str = "", default_system: str = "") -> Chat:
    """The chat of a user with the question as its last turn; exactly one of the turns shows the clip.

    Args:
        default: what is asked where the user asks nothing; "" for a caption.
        default_system: the system turn where the user gives none.
    """
    earlier = [ChatTurn(turn.role, turn.text.strip(), turn.shows_clip) for turn in question.earlier]
    shown = any(turn.shows_clip for turn in earlier)
    text = question.text.strip() or default or CAPTION_QUESTION
    return Chat((*earlier, ChatTurn("user", text, not shown)), question.system.strip() or default_system)


class ChatFormat:
    """How one base reads a chat."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, architecture: Architecture) -> None:
        self._tokenizer, self._architecture = tokenizer, architecture
        known: dict[int, Any] = tokenizer.added_tokens_decoder
        self.special_tokens = sorted(
            {str(token) for token in known.values() if token.special and str(token).strip()}, key=len, reverse=True
        )
        self._template: Any = architecture.chat_template or tokenizer.chat_template
        end = architecture.end_token
        self._default_end = end if end in tokenizer.get_vocab() else str(tokenizer.eos_token or "")
        self._shapes: dict[object, list[Part]] = {}
        self._text_systems: dict[object, bool] = {}
        self.end_token = self._end_token()
        """The token that ends an answer."""

    def parts(self, chat: Chat) -> list[Part]:
        """The text of a chat in its order, up to the end of its last turn.

        Raises:
            Invalid: nothing is known that formats these turns.
        """
        shape = _shape(chat)
        if shape not in self._shapes:
            self._shapes[shape] = self._format(chat)
        texts = [chat.system, *(turn.text for turn in chat.turns)]
        return [
            Part(texts[int(part.text)], PartKind.TEXT, part.learned) if part.kind is PartKind.TEXT else part
            for part in self._shapes[shape]
        ]

    def system_is_text(self, chat: Chat) -> bool:
        """Whether the template takes the instructions of this chat as a text only, and not as a list of parts."""
        self.parts(chat)
        return self._text_systems.get(_shape(chat), False)

    def has_special_token(self, text: str) -> bool:
        """Whether a text of people spells a special token."""
        return any(token in text for token in self.special_tokens)

    def _format(self, chat: Chat) -> list[Part]:
        """The parts of a chat of this shape; the text of a person's part is the number of its mark."""
        if self._template:
            for messages in _message_forms(chat):
                parts = self._from_template(messages)
                if parts and _marks_of(parts) == _expected_marks(chat):
                    first = messages[0]
                    self._text_systems[_shape(chat)] = first["role"] == "system" and isinstance(first["content"], str)
                    return parts
        return self._from_architecture(chat)

    def _from_template(self, messages: list[dict[str, Any]]) -> list[Part]:
        """The parts of the template's text with its answers learned; nothing where it cannot format the messages.

        The last answer follows the very text after which the model will generate: some templates write another one
        before the answers of a finished chat.
        """
        asks = messages[-1]["role"] != "assistant"
        parts = self._prompt(messages if asks else messages[:-1])
        if [part.kind for part in parts].count(PartKind.CLIP) != 1:
            return []
        learned: list[Part] = []
        for part in parts:
            if learned and learned[-1].learned and learned[-1].kind is PartKind.TEXT:
                part = self._after_answer(part, learned)
            index = _answer_with(part, messages)
            if index is not None:
                self._add_answer(part, self._prompt(messages[:index]), learned)
            elif part.text or part.kind is PartKind.CLIP:
                learned.append(part)
        return learned if asks else self._with_last_answer(learned, messages)

    def _with_last_answer(self, prompt: list[Part], messages: list[dict[str, Any]]) -> list[Part]:
        """The prompt for the last answer, with that answer and its end token as the complete chat has them."""
        complete = self._split(self._apply(messages, prompts=False))
        answer = Part(_mark_in(messages[-1]), PartKind.TEXT)
        if answer not in complete:
            return []
        at = complete.index(answer)
        written: list[Part] = complete[max(0, at - 1) : at]
        self._add_answer(answer, prompt, written)
        lead = written[-2:-1] if len(written) > 2 else []
        following: list[Part] = []
        for part in complete[at + 1 : at + 2]:
            self._after_answer(part, following)
        return [*prompt, *lead, written[-1], *(following or [Part(self._default_end, learned=True)])]

    def _add_answer(self, answer: Part, prompt: list[Part], parts: list[Part]) -> None:
        """Appends a learned answer. What stands behind its prompt's text, such as a space, is learned with it."""
        tail, before = prompt[-1].text if prompt else "", parts[-1] if parts else Part("")
        if before.kind is PartKind.TEMPLATE and before.text.startswith(tail) and before.text != tail:
            parts[-1:] = [Part(tail), Part(before.text[len(tail) :], learned=True)]
        parts.append(Part(answer.text, PartKind.TEXT, learned=True))

    def _after_answer(self, part: Part, parts: list[Part]) -> Part:
        """Appends the token with which the template ends an answer, where it does; returns the rest of the text."""
        end = next((token for token in self.special_tokens if part.text.startswith(token)), "")
        if end and part.kind is PartKind.TEMPLATE:
            parts.append(Part(end, learned=True))
            return Part(part.text[len(end) :])
        return part

    def _prompt(self, messages: list[dict[str, Any]]) -> list[Part]:
        """The parts of the text after which an answer is generated."""
        return self._split(self._apply(messages, prompts=True))

    def _from_architecture(self, chat: Chat) -> list[Part]:
        """The chat in the family's own form: questions and answers in turn, the clip in the first question.

        Raises:
            Invalid: the turns are in another order.
        """
        roles = [turn.role for turn in chat.turns]
        alternate = all(role == ("user", "assistant")[place % 2] for place, role in enumerate(roles))
        if not alternate or not chat.turns[0].shows_clip or not self._architecture.prompt:
            raise Invalid(
                "This base has no chat template that formats these turns. Send questions and answers in turn, with the "
                "clip in the first question.",
                "messages",
            )
        parts: list[Part] = []
        for place, turn in enumerate(chat.turns):
            mark = Part(str(place + 1), PartKind.TEXT)
            if turn.role == "assistant":
                lead = [Part(" ", learned=True)] if parts[-1].text.endswith(":") else []
                parts += [*lead, Part(mark.text, PartKind.TEXT, learned=True), Part(self._default_end, learned=True)]
                continue
            before, after = (self._architecture.prompt if place == 0 else self._architecture.next_turn).split(
                "{question}"
            )
            system = [Part(str(_SYSTEM), PartKind.TEXT), Part("\n")] if chat.system and place == 0 else []
            head, clip, tail = before.partition("{clip}")
            parts += [part for part in (Part(head), *([_CLIP] if clip else []), Part(tail)) if part != Part("")]
            parts += [*system, mark, *([Part(after)] if after else [])]
        return parts

    def _split(self, text: str) -> list[Part]:
        """A formatted text at its marks and at the place of the clip."""
        parts: list[Part] = []
        for place, piece in enumerate(_MARK.split(text)):
            if place % 2:
                parts.append(Part(piece, PartKind.TEXT))
                continue
            for number, rest in enumerate(piece.split(self._architecture.video_placeholder)):
                parts += [_CLIP] if number else []
                parts += [Part(rest)] if rest else []
        return parts

    def _apply(self, messages: list[dict[str, Any]], prompts: bool) -> str:
        """The messages in the base's template; nothing where the template cannot format them."""
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    messages, chat_template=self._template, add_generation_prompt=prompts, tokenize=False
                )
            )
        except Exception:
            return ""

    def _end_token(self) -> str:
        learned = [part for part in self.parts(_USUAL) if part.learned]
        return learned[-1].text if learned else self._default_end


def _shape(chat: Chat) -> tuple[bool, tuple[tuple[str, bool], ...]]:
    """What the form of a chat depends on."""
    return bool(chat.system), tuple((turn.role, turn.shows_clip) for turn in chat.turns)


_USUAL = Chat((ChatTurn("user", "", shows_clip=True), ChatTurn("assistant", "")))


def _message_forms(chat: Chat) -> Iterator[list[dict[str, Any]]]:
    """The chat in the forms that templates know: with a role for instructions or without, texts as parts or plain."""
    marks = [f"\ue000{number + 1}\ue001" for number in range(len(chat.turns))]
    system = f"\ue000{_SYSTEM}\ue001"
    for role in (True, False) if chat.system else (False,):
        texts = list(marks)
        if chat.system and not role:
            texts[0] = f"{system}\n{texts[0]}"
        for as_parts in (True, False):
            head = [_message("system", system, False, as_parts)] if role else []
            rest = [
                _message(turn.role, text, turn.shows_clip, as_parts)
                for turn, text in zip(chat.turns, texts, strict=True)
            ]
            yield [*head, *rest]


def _message(role: str, text: str, shows_clip: bool, as_parts: bool) -> dict[str, Any]:
    part = {"type": "text", "text": text}
    if shows_clip:
        return {"role": role, "content": [{"type": "video"}, part]}
    return {"role": role, "content": [part] if as_parts else text}


def _answer_with(part: Part, messages: Sequence[dict[str, Any]]) -> int | None:
    """The index of the answer of which a part is the text; None where it is another text."""
    if part.kind is not PartKind.TEXT:
        return None
    answers = (index for index, message in enumerate(messages) if message["role"] == "assistant")
    return next((index for index in answers if _mark_in(messages[index]) == part.text), None)


def _mark_in(message: dict[str, Any]) -> str:
    """The number of the last mark in a message."""
    content = message["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    return _MARK.findall(text)[-1]


def _marks_of(parts: Sequence[Part]) -> list[str]:
    return [part.text for part in parts if part.kind is PartKind.TEXT]


def _expected_marks(chat: Chat) -> list[str]:
    """The marks in their order: a template is a program, and may omit or repeat turns that it does not expect."""
    return [str(number) for number in range(0 if chat.system else 1, len(chat.turns) + 1)]
