"""A short summary of a layout, which is stored with the dataset and shown on its page."""

from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.annotations import short_form
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout, Entry
from orchestrator.services.datasets.ingest.layouts.reading import LEVELS, ReadingOptions
from orchestrator.services.datasets.ingest.layouts.tree import TABLE_ENDINGS, Tree
from orchestrator.services.datasets.not_used import NOT_USED, to_json
from orchestrator.services.datasets.text_repair import storable

SAMPLES = 3
_MAX_NOTES, _MAX_FILES, _MAX_COLUMNS = 40, 100, 200
_MAX_TEXT, _MAX_NOTE = 240, 1_000


def summary(layout: DetectedLayout, tree: Tree, options: ReadingOptions, samples: int = SAMPLES) -> dict[str, Any]:
    """The layout as JSON values.

    Returns:
        {"key", "title", "files", "columns", "notes", "not_used", "samples"}; for corrections also "choices" (the
        columns of the tables, the folders of a clip, the rate of frame folders) and "reading", the options. A sample
        has "file", "label", "caption", "prompt", "split", how many "labels", "captions" and "turns" it has, and the
        seconds "start_s" and "end_s" of a span.
    """
    usable = [entry for entry in layout.entries if not entry.problem]
    # From the beginning, the middle and the end, because neighbours are alike.
    last = len(usable) - 1
    chosen = usable if len(usable) <= samples else [usable[round(i * last / (samples - 1))] for i in range(samples)]
    shown = [_sample(entry) for entry in chosen]
    values = {
        "key": layout.key,
        "title": layout.title,
        "files": layout.files[:_MAX_FILES],
        "columns": layout.columns,
        "notes": _notes(layout.notes),
        NOT_USED: to_json(layout.not_used),
        "samples": shown,
        "choices": {"columns": _columns(tree), "folders": _folders(usable or layout.entries)} | _frame_rate(tree),
        "reading": asdict(options),
    }
    return storable(values)


def _shortened(text: str) -> str:
    """The beginning of a sample's text; the text itself is stored whole with its clip."""
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def _notes(notes: list[str]) -> list[str]:
    more = len(notes) - _MAX_NOTES
    further = [f"There are {more:,} further notes, which are not stored."] if more > 0 else []
    return [note if len(note) <= _MAX_NOTE else f"{note[: _MAX_NOTE - 1]}…" for note in notes[:_MAX_NOTES]] + further


def _sample(entry: Entry) -> dict[str, Any]:
    label, caption, prompt, _ = short_form(entry.annotations)
    return {
        "file": entry.name[-_MAX_TEXT:],
        "label": label,
        "caption": _shortened(caption),
        "prompt": _shortened(prompt),
        "split": entry.split.value,
        "labels": len(entry.annotations.labels),
        "captions": len(entry.annotations.captions),
        "turns": sum(len(talk.turns) for talk in entry.annotations.conversations),
        "start_s": entry.span.start_s if entry.span else None,
        "end_s": entry.span.end_s if entry.span else None,
    }


def _columns(tree: Tree) -> list[str]:
    """The columns of the first tables, in their order."""
    rows = (row for name in tree.texts(*TABLE_ENDINGS)[:_MAX_FILES] for row in tree.rows(name)[:1])
    return list(dict.fromkeys(str(key)[:80] for row in rows for key in row if key))[:_MAX_COLUMNS]


def _frame_rate(tree: Tree) -> dict[str, float]:
    """The rate of folders of pictures, where it can be chosen."""
    return {"frame_rate": rate} if (rate := tree.frames.unmade_rate()) else {}


def _folders(entries: list[Entry]) -> list[str]:
    """The folders of the clip that is nested most deeply, the nearest first."""
    deepest = max((PurePosixPath(entry.name).parts[:-1] for entry in entries[:1000]), key=len, default=())
    return [part[:80] for part in reversed(deepest)][:LEVELS]
