"""Tokenizes a chat about a clip: the ids of its template's text, and which of them are learned."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from transformers import PreTrainedTokenizerBase

from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.prompt import Chat, ChatFormat, Part, PartKind

Learned = tuple[list[int], list[bool]]
"""The tokens of a chat, and for each whether it belongs to an answer."""


class ChatTokens:
    """The tokens of chats as one base reads them; those of a run's texts are computed once for all epochs."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, architecture: Architecture, video_token: str) -> None:
        self.format = ChatFormat(tokenizer, architecture)
        self._tokenizer, self._video_token = tokenizer, video_token
        self._special_tokens = frozenset(self.format.special_tokens)
        self._openings: dict[tuple[Part | str, ...], list[int]] = {}
        self._rest: dict[tuple[str, Chat], Learned] = {}
        self._lengths: dict[str, int] = {}

    def prompt(self, video_text: str, chat: Chat) -> list[int]:
        """The tokens of a chat that ends with a question.

        Args:
            video_text: the text with the tokens that stand for the clip.
        """
        return self._tokens(video_text, chat)[0]

    def learned(self, video_text: str, chat: Chat) -> Learned:
        """The tokens of a chat that ends with an answer."""
        return self._tokens(video_text, chat)

    def length(self, text: str) -> int:
        """How many tokens an answer has."""
        if text not in self._lengths:
            self._lengths[text] = len(self._ids([Part(text, PartKind.TEXT)]))
        return self._lengths[text]

    def prompt_texts(self, chat: Chat) -> tuple[str, str, str]:
        """The text before the clip, between the clip and the last question, and after that question."""
        parts = self.format.parts(chat)
        kinds = [part.kind for part in parts]
        clip = kinds.index(PartKind.CLIP)
        question = len(kinds) - 1 - kinds[::-1].index(PartKind.TEXT)
        pieces = parts[:clip], parts[clip + 1 : question], parts[question + 1 :]
        before, between, after = ("".join(part.text for part in piece) for piece in pieces)
        return before, between, after

    def _tokens(self, video_text: str, chat: Chat) -> Learned:
        parts = self.format.parts(chat)
        clip = [part.kind for part in parts].index(PartKind.CLIP)
        head, token, tail = video_text.rpartition(self._video_token)
        before, after = parts[:clip], [Part(tail), *parts[clip + 1 :]]
        opening = (*before, head, token)
        if opening not in self._openings:
            self._openings[opening] = self._ids([*before, Part(head + token)], begins=True)
        known = (tail, chat)
        if known not in self._rest:
            self._rest[known] = self._ids_behind_clip(after)
        ids, learned = self._rest[known]
        first = self._openings[opening]
        return [*first, *ids], [*[False] * len(first), *learned]

    def _ids_behind_clip(self, parts: Sequence[Part]) -> Learned:
        """The tokens of the parts, as they are tokenized behind a video token.

        No token reaches over a special one, so each exchange up to its end token is tokenized by itself, behind the
        special token that stands before it.
        """
        ids: list[int] = []
        learned: list[bool] = []
        before = self._video_token
        for exchange in self._exchanges(parts):
            new_ids, new_learned = self._ids_behind(before, exchange)
            ids, learned, before = ids + new_ids, learned + new_learned, exchange[-1].text
        return ids, learned

    def _exchanges(self, parts: Sequence[Part]) -> Iterator[list[Part]]:
        """The parts, divided behind each end token of an answer."""
        exchange: list[Part] = []
        for part in parts:
            exchange.append(part)
            if part.learned and part.text in self._special_tokens and part.kind is PartKind.TEMPLATE:
                yield exchange
                exchange = []
        if exchange:
            yield exchange

    def _ids_behind(self, special_token: str, parts: Sequence[Part]) -> Learned:
        """The tokens of the parts behind a special token.

        The text is tokenized as one, as the template's own text is. Where a token would then reach from a prompt into
        its answer, the pieces are tokenized by themselves, because the model generates from the prompt's own tokens.
        """
        text = [Part(special_token)]
        pieces = [(learned, list(group)) for learned, group in groupby(parts, key=lambda part: part.learned)]
        ids, flags = self._ids([*text, *parts]), [False]
        for learned, piece in pieces:
            text += piece
            known = self._ids(text)
            if ids[: len(known)] != known:
                return self._ids_by_piece(special_token, pieces)
            flags += [learned] * (len(known) - len(flags))
        return ids[1:], flags[1:]

    def _ids_by_piece(self, special_token: str, pieces: Sequence[tuple[bool, list[Part]]]) -> Learned:
        ids: list[int] = []
        flags: list[bool] = []
        for learned, piece in pieces:
            new = self._ids(piece) if ids else self._ids([Part(special_token), *piece])[1:]
            ids, flags = ids + new, flags + [learned] * len(new)
        return ids, flags

    def _ids(self, parts: Sequence[Part], begins: bool = False) -> list[int]:
        """The tokens of the parts' text. A special token that people's text spells is tokenized as ordinary text.

        Args:
            begins: the text begins the sequence, so it gets a begin token unless it has one.
        """
        ids: list[int] = []
        for plain, group in groupby(parts, key=self._is_plain):
            text = "".join(part.text for part in group)
            begin = self._tokenizer.bos_token
            adds_begin = begins and not ids and not (begin and text.startswith(str(begin)))
            if text or adds_begin:
                ids += self._tokenizer(
                    text, add_special_tokens=adds_begin, return_attention_mask=False, split_special_tokens=plain
                ).input_ids
        return ids

    def _is_plain(self, part: Part) -> bool:
        """Whether nothing in the part may become a special token although it spells one."""
        return part.kind is PartKind.TEXT and self.format.has_special_token(part.text)
