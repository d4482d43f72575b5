"""Names the columns of tables and the keys of records that the layout does not read."""

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.tree import Tree
from orchestrator.services.datasets.not_used import NotUsed, NotUsedKind, NotUsedList

_MEDIA = frozenset({"image", "images", "audio", "audios", "sound", "image_path", "audio_path"})
_TIMES = frozenset(
    {"start", "start_time", "start_s", "start_sec", "time_start", "t_start", "begin"}
    | {"end", "end_time", "end_s", "end_sec", "time_end", "t_end", "stop", "times", "timestamps"}
)
_REASONS = {
    NotUsedKind.COLUMN: "Nothing is read from it.",
    NotUsedKind.TIME: "The times in it are not used: the whole film is taken.",
    NotUsedKind.MEDIA: "Only films are read, neither pictures nor sound beside them.",
}
_MAX_VALUE = 40


def unused_columns(tree: Tree, layout: DetectedLayout) -> list[NotUsed]:
    """The columns with values that no part of the layout reads, by name; a name in several files counts once."""
    collected = NotUsedList()
    seen: set[str] = set()
    for file in layout.files:
        for key, value in tree.unread_keys(file).items():
            if key in seen:
                continue
            seen.add(key)
            kind = _kind(key)
            step = "If it is the label or the caption, choose it under Correct." if kind is NotUsedKind.COLUMN else ""
            collected.add(kind, f"{file}: {key} ({_shown(value)})", _REASONS[kind], step)
    return collected.groups()


def _kind(key: str) -> NotUsedKind:
    plain = key.strip().lower()
    if plain in _TIMES:
        return NotUsedKind.TIME
    return NotUsedKind.MEDIA if plain in _MEDIA else NotUsedKind.COLUMN


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
