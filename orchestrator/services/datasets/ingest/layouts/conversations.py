"""Turns of a conversation as question and answer, in every spelling that video chat data comes in."""

import re
from typing import Any

from orchestrator.services.datasets.ingest.layouts.tree import Row

_PLACES = re.compile(r"<\|?/?(video|image|audio|vision_start|vision_end|video_pad)[^>\n]{0,20}>", re.IGNORECASE)
_ASKS = frozenset({"user", "human"})
_ANSWERS = frozenset({"assistant", "gpt", "model", "bot", "chatgpt"})
MANY_TURNS = "Some conversations have several turns; the first question and answer are used."


def exchange(turns: Any, role: str = "role", content: str = "content") -> tuple[str, str, int]:
    """(question, answer, number of answers); "" where there is none."""
    question, answer, answers = "", "", 0
    for turn in turns if isinstance(turns, list) else []:
        if not isinstance(turn, dict):
            continue
        who = str(turn.get(role) or turn.get("role") or turn.get("from") or "").lower()
        words = _words(turn.get(content, turn.get("content", turn.get("value"))))
        if who in _ANSWERS:
            answers += 1
            answer = answer or words
        elif who in _ASKS and not answers:
            question = f"{question}\n{words}".strip()
    return question, answer, answers


def _words(content: Any) -> str:
    """Text of a turn, without the marks that stand for the video."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(part for part in parts if isinstance(part, str))
    return _PLACES.sub("", content).strip() if isinstance(content, str) else ""


def turns_of(row: Row) -> Any:
    """The conversation of a row, under either of its names."""
    return row.get("messages") or row.get("conversations") or row.get("conversation")


def videos_of(row: Row) -> list[Any]:
    """The videos of a row: `videos`, or `video` alone; each a path or {"path"|"url"|"video": path}."""
    value = row.get("videos") or row.get("video") or []
    found = value if isinstance(value, list) else [value]
    return [path_of(item) for item in found]


def path_of(item: Any) -> Any:
    """A path that may be wrapped: {"path": ...}, {"url": ...}, {"video_url": {"url": ...}}."""
    for _ in range(3):
        if not isinstance(item, dict):
            break
        item = next((item[key] for key in ("path", "url", "video", "video_url", "file") if item.get(key)), None)
    return item
