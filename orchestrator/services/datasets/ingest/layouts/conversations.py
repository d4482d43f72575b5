"""Reads question and answer from a conversation, in all notations of video chat data."""

import re
from typing import Any

from orchestrator.services.datasets.ingest.layouts.tree import Row

_MEDIA_MARKS = re.compile(r"<\|?/?(video|image|audio|vision_start|vision_end|video_pad)[^>\n]{0,20}>", re.IGNORECASE)
_ASKS = frozenset({"user", "human"})
_ANSWERS = frozenset({"assistant", "gpt", "model", "bot", "chatgpt"})
MANY_TURNS = "Some conversations have several turns; the first question and answer are used."


def exchange(turns: Any, role: str = "role", content: str = "content") -> tuple[str, str, int]:
    """The first question and answer of a conversation.

    Args:
        role, content: the keys of a turn.

    Returns:
        (question, answer, number of answers); "" where there is none.
    """
    question, answer, answers = "", "", 0
    for turn in turns if isinstance(turns, list) else []:
        if not isinstance(turn, dict):
            continue
        who = str(turn.get(role) or turn.get("role") or turn.get("from") or "").lower()
        text = _text_of(turn.get(content, turn.get("content", turn.get("value"))))
        if who in _ANSWERS:
            answers += 1
            answer = answer or text
        elif who in _ASKS and not answers:
            question = f"{question}\n{text}".strip()
    return question, answer, answers


def _text_of(content: Any) -> str:
    """The text of a turn, without the marks that stand for the video."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(part for part in parts if isinstance(part, str))
    return _MEDIA_MARKS.sub("", content).strip() if isinstance(content, str) else ""


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
