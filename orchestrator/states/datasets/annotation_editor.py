"""What is typed in the dialog of a clip: further captions, the turns of its conversations, its span."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import reflex as rx

from orchestrator.domain.annotations import Conversation, Turn
from orchestrator.domain.errors import Invalid
from orchestrator.services.datasets.rows import ClipRow
from orchestrator.states.shared.guards import signed_in

_FIELDS = ("question", "answer", "options", "system")


@dataclass(frozen=True, slots=True)
class TurnFields:
    """One turn as it is typed; the turns of all conversations stand in one list."""

    question: str = ""
    answer: str = ""
    options: str = ""
    """One a line."""
    system: str = ""
    """Of the conversation, at its first turn."""
    begins: bool = True
    """Whether it is the first turn of a conversation."""


def turn_fields(conversations: Sequence[Conversation]) -> list[TurnFields]:
    """The turns of conversations as they are typed."""
    return [
        TurnFields(turn.question, turn.answer, "\n".join(turn.options), "" if number else talk.system, number == 0)
        for talk in conversations
        for number, turn in enumerate(talk.turns)
    ]


def typed_conversations(turns: Sequence[TurnFields]) -> list[Conversation]:
    """The conversations that were typed; turns without question and answer are none."""
    talks: list[Conversation] = []
    for fields in turns:
        options = tuple(line.strip() for line in fields.options.splitlines() if line.strip())
        turn = Turn(fields.question.strip(), fields.answer.strip(), options)
        if not turn.question and not turn.answer:
            continue
        if talks and not fields.begins:
            talks[-1] = Conversation((*talks[-1].turns, turn), talks[-1].system)
        else:
            talks.append(Conversation((turn,), fields.system.strip()))
    return talks


def typed_seconds(text: str, field: str) -> float:
    """The seconds in a text.

    Raises:
        Invalid: it is no number.
    """
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Invalid("Enter seconds, such as 12.5.", field) from None


class AnnotationEditor(rx.State, mixin=True):
    """The lists of one clip's annotations. What the person has not changed is not sent."""

    lists_labels: bool = False
    """Whether the labels are edited as a list, because the clip has several or is to have several."""
    several_labels: list[str] = []
    """The labels of that list."""
    new_label: str = ""
    """What is typed to be added to it."""
    further_captions: list[str] = []
    """All but the first, which is `caption`."""
    turns: list[TurnFields] = []
    start: str = ""
    end: str = ""
    whole_film: bool = False
    """The clip is to become the whole film when it is saved."""
    film_s: float = 0.0
    """How long the film is of which the clip is a part; 0 for a whole film."""
    span_left: float = 0.0
    span_width: float = 0.0
    """The place of the clip in its film, in percent."""
    _row: ClipRow | None = None
    """The clip when the dialog was opened."""

    def _edit(self, row: ClipRow) -> None:
        """Begins with what is written about a clip."""
        self._row = row
        self.lists_labels = len(row.labels) > 1
        self.several_labels, self.new_label = list(row.labels) if self.lists_labels else [], ""
        self.further_captions = list(row.captions[1:])
        self.turns = turn_fields(row.conversations)
        self.start, self.end = _shown(row.start_s), _shown(row.end_s)
        self.whole_film, self.film_s = False, row.film_s if row.start_s is not None else 0.0
        self._draw_span()

    def _has_lists(self) -> bool:
        """Whether captions are saved as a list: the one text of the short form would not say which is meant."""
        several = self._row is not None and len(self._row.captions) > 1
        return bool(several or self.further_captions or self.turns)

    def _typed_lists(self, first_caption: str) -> dict[str, Any]:
        """The lists and the span that were changed since the dialog was opened, as fields of a `Change`.

        Raises:
            Invalid: a time is no number.
        """
        if self._row is None:
            return {}
        typed: dict[str, Any] = {}
        captions = [first_caption, *self.further_captions]
        if self._has_lists() and captions != (self._row.captions or [""]):
            typed["captions"] = [text.strip() for text in captions if text.strip()]
        # Compared as they are typed: a field cannot show all that a turn may hold, such as an option of two lines.
        if self.turns != turn_fields(self._row.conversations):
            typed["conversations"] = typed_conversations(self.turns)
        if self.lists_labels and (labels := self._typed_labels()) != self._row.labels:
            typed["labels"] = labels
        if self._row.start_s is None:
            return typed
        if self.whole_film:
            return typed | {"whole_film": True}
        for name, text, before in (("start_s", self.start, self._row.start_s), ("end_s", self.end, self._row.end_s)):
            if text != _shown(before):
                typed[name] = typed_seconds(text, name)
        return typed

    def _typed_labels(self) -> list[str]:
        """The list with what is typed for it: who saves means that label, too."""
        return list(dict.fromkeys(filter(None, [*self.several_labels, self.new_label.strip()])))

    def _draw_span(self) -> None:
        try:
            start, end = typed_seconds(self.start, ""), typed_seconds(self.end, "")
        except Invalid:
            return
        if self.film_s > 0:
            self.span_left = min(max(100 * start / self.film_s, 0.0), 100.0)
            self.span_width = min(max(100 * (end - start) / self.film_s, 0.0), 100.0 - self.span_left)

    @rx.event
    @signed_in
    async def remove_label(self, label: str):
        self.several_labels = [other for other in self.several_labels if other != label]

    @rx.event
    @signed_in
    async def type_new_label(self, text: str):
        self.new_label = text

    @rx.event
    @signed_in
    async def add_label(self):
        """Adds the typed label to the list."""
        self.several_labels, self.new_label = self._typed_labels(), ""

    @rx.event
    @signed_in
    async def type_further_caption(self, index: int, text: str):
        if 0 <= index < len(self.further_captions):
            self.further_captions = _with(self.further_captions, index, text)

    @rx.event
    @signed_in
    async def add_caption(self):
        self.further_captions = [*self.further_captions, ""]

    @rx.event
    @signed_in
    async def remove_caption(self, index: int):
        self.further_captions = [text for at, text in enumerate(self.further_captions) if at != index]

    @rx.event
    @signed_in
    async def type_turn(self, index: int, field: str, text: str):
        """Changes a field of a turn: question, answer, options or system."""
        if 0 <= index < len(self.turns) and field in _FIELDS:
            values: dict[str, Any] = {field: text}
            self.turns = _with(self.turns, index, replace(self.turns[index], **values))

    @rx.event
    @signed_in
    async def add_question(self):
        """Adds a conversation with one turn."""
        self.turns = [*self.turns, TurnFields()]

    @rx.event
    @signed_in
    async def add_turn(self, index: int):
        """Adds a turn after another one, in the same conversation."""
        self.turns = [*self.turns[: index + 1], TurnFields(begins=False), *self.turns[index + 1 :]]

    @rx.event
    @signed_in
    async def remove_turn(self, index: int):
        """Removes a turn; the next one begins the conversation where it did."""
        if not 0 <= index < len(self.turns):
            return
        removed, rest = self.turns[index], [*self.turns[:index], *self.turns[index + 1 :]]
        if removed.begins and index < len(rest) and not rest[index].begins:
            rest[index] = replace(rest[index], begins=True, system=removed.system)
        self.turns = rest

    @rx.event
    @signed_in
    async def use_full_film(self):
        """Makes the clip the whole film when it is saved."""
        self.start, self.end, self.whole_film = "0", _shown(self.film_s), True
        self._draw_span()

    @rx.event
    @signed_in
    async def type_start(self, text: str):
        self.start, self.whole_film = text, False
        self._draw_span()

    @rx.event
    @signed_in
    async def type_end(self, text: str):
        self.end, self.whole_film = text, False
        self._draw_span()


def _with(items: Sequence[Any], index: int, value: Any) -> list[Any]:
    return [*items[:index], value, *items[index + 1 :]]


def _shown(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}".rstrip("0").rstrip(".")
