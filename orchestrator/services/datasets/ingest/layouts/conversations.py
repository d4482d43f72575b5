"""Reads the turns of conversations, in all notations of video chat data."""

import re
from typing import Any

from orchestrator.domain.annotations import Conversation, Turn
from orchestrator.services.datasets.ingest.layouts.annotation_texts import plain
from orchestrator.services.datasets.ingest.layouts.rows import Row

_FILM = r"(?:<\|vision_start\|>)?(?:<\|video_pad\|>)+(?:<\|vision_end\|>)?|<\|?video\|?>"
_FILM_MARK = re.compile(_FILM, re.IGNORECASE)
_LEADING_MARKS = re.compile(rf"\s*(?:(?:{_FILM}|<\|?(?:image|audio)\|?>)\s*)+", re.IGNORECASE)
_LAST_MARK = re.compile(rf"(?:{_FILM})\s*\Z", re.IGNORECASE)
_SYSTEM = frozenset({"system", "developer"})
_ASKS = frozenset({"user", "human"})
_ANSWERS = frozenset({"assistant", "gpt", "model", "bot", "chatgpt"})


class ConversationReader:
    """Reads conversations, and notes the turns that none of them can hold."""

    def __init__(self) -> None:
        self._other_roles: dict[str, int] = {}

    def read(self, turns: Any, role: str = "role", content: str = "content", system: Any = "") -> list[Conversation]:
        """A conversation with all its turns; [] where nothing is asked or answered.

        Questions that follow each other are one question, and so are answers. A question at the end without an answer
        becomes a turn with the answer "", which `EntryCollector.add` counts and leaves out.

        Args:
            role, content: the keys of a turn.
            system: the system turn, where it stands outside of the turns.
        """
        pairs: list[tuple[str, str]] = []
        marks_are_open = True
        instructions = [text_of(system)]
        for turn in turns if isinstance(turns, list) else []:
            if isinstance(turn, list) and len(turn) == 2 and isinstance(turn[0], str):
                turn = {"role": turn[0], content: turn[1]}
            if not isinstance(turn, dict):
                self._other_roles["no role"] = self._other_roles.get("no role", 0) + 1
                continue
            who = str(turn.get(role) or turn.get("role") or turn.get("from") or "").lower()
            text = text_of(turn.get(content, turn.get("content", turn.get("value"))))
            if who in _SYSTEM:
                instructions.append(text)
            elif who in _ASKS:
                if marks_are_open and not _has_film_part(turn.get(content, turn.get("content"))):
                    bare = _without_marks(text)
                    marks_are_open, text = bare == text, bare
                if pairs and not pairs[-1][1]:
                    pairs[-1] = (f"{pairs[-1][0]}\n{text}".strip(), "")
                else:
                    pairs.append((text, ""))
            elif who in _ANSWERS:
                question, answer = pairs.pop() if pairs else ("", "")
                pairs.append((question, f"{answer}\n{text}".strip()))
            else:
                self._other_roles[who or "no role"] = self._other_roles.get(who or "no role", 0) + 1
        system_turn = "\n".join(filter(None, instructions))
        return [Conversation(tuple(Turn(*pair) for pair in pairs), system_turn)] if pairs else []

    def notes(self) -> list[str]:
        """Sentences about turns that are not used."""
        return [
            f"{count:,} {'turn' if count == 1 else 'turns'} of the role {role[:40]} cannot be used, and "
            f"{'is' if count == 1 else 'are'} left out of the conversations."
            for role, count in sorted(self._other_roles.items())
        ]


def text_of(content: Any) -> str:
    """The text of a turn."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        content = "\n".join(filter(None, map(_text_of_value, parts)))
    return _text_of_value(content).strip()


def _text_of_value(value: Any) -> str:
    """A text as it is, a number as a text."""
    return value if isinstance(value, str) else plain(value)


def _without_marks(text: str) -> str:
    """The first question without the marks that stand for its films; the same words further on are words.

    The marks stand at the front, seldom at the end. Answers have none: `<video>` in them is a word of the text.
    """
    if (leading := _LEADING_MARKS.match(text)) and _FILM_MARK.search(leading[0]):
        return text[leading.end() :].strip()
    if last := _LAST_MARK.search(text):
        return text[: last.start()].strip()
    return _FILM_MARK.sub("", text, count=1).strip()


def _has_film_part(content: Any) -> bool:
    """Whether the film is a part of the turn, so that no mark stands for it."""
    parts = content if isinstance(content, list) else []
    return any(isinstance(part, dict) and str(part.get("type", "")).startswith("video") for part in parts)


def turns_of(row: Row) -> Any:
    """The conversation of a row, under any of its keys."""
    return row.get("messages") or row.get("conversations") or row.get("conversation")


def videos_of(row: Row) -> list[Any]:
    """The paths of a row's videos, from `videos` or `video`."""
    value = row.get("videos") or row.get("video") or []
    return [path_of(item) for item in (value if isinstance(value, list) else [value])]


def path_of(item: Any) -> Any:
    """The path in an item that may be wrapped: {"path": ...}, {"url": ...}, {"video_url": {"url": ...}}."""
    for _ in range(3):
        if not isinstance(item, dict):
            break
        item = next((item[key] for key in ("path", "url", "video", "video_url", "file") if item.get(key)), None)
    return item
