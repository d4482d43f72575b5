"""What was understood, small enough to be kept with the dataset and shown on its page."""

from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import Entry, Understood
from orchestrator.services.datasets.ingest.layouts.reading import LEVELS as _LEVELS
from orchestrator.services.datasets.ingest.layouts.reading import Reading
from orchestrator.services.datasets.ingest.layouts.tree import TABLE_ENDINGS, Tree

SAMPLES = 3
_NOTES, _FILES, _LONGEST, _COLUMNS = 6, 6, 240, 40


def summary(seen: Understood, tree: Tree, reading: Reading, samples: int = SAMPLES) -> dict[str, Any]:
    """{"key", "title", "files", "columns", "notes", "samples": [{"file", "label", "caption", "prompt", "split"}]}.

    For whom it was not understood rightly: "choices", the columns of its tables and the folders of a clip, and
    "reading", what was said about how to read it.
    """
    good = [entry for entry in seen.entries if not entry.problem]
    # From the beginning, the middle and the end: neighbours tell the same.
    last = len(good) - 1
    chosen = good if len(good) <= samples else [good[round(i * last / (samples - 1))] for i in range(samples)]
    shown = [
        {
            "file": entry.name[-_LONGEST:],
            "label": entry.label,
            "caption": entry.caption[:_LONGEST],
            "prompt": entry.prompt[:_LONGEST],
            "split": entry.split.value,
        }
        for entry in chosen
    ]
    return {
        "key": seen.key,
        "title": seen.title,
        "files": seen.files[:_FILES],
        "columns": seen.columns,
        "notes": [note[:_LONGEST] for note in seen.notes[:_NOTES]],
        "samples": shown,
        "choices": {"columns": _columns(tree), "folders": _folders(good or seen.entries)},
        "reading": asdict(reading),
    }


def _columns(tree: Tree) -> list[str]:
    """The columns of the first tables, in their order."""
    rows = (row for name in tree.texts(*TABLE_ENDINGS)[:_FILES] for row in tree.rows(name)[:1])
    return list(dict.fromkeys(str(key)[:80] for row in rows for key in row if key))[:_COLUMNS]


def _folders(entries: list[Entry]) -> list[str]:
    """The folders of a deeply lying clip, the nearest first."""
    deepest = max((PurePosixPath(entry.name).parts[:-1] for entry in entries[:1000]), key=len, default=())
    return [part[:80] for part in reversed(deepest)][:_LEVELS]
