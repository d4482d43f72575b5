"""What was understood, small enough to be kept with the dataset and shown on its page."""

from typing import Any

from orchestrator.services.datasets.layouts.entry import Understood

_SAMPLES, _NOTES, _FILES, _LONGEST = 3, 6, 6, 240


def summary(seen: Understood) -> dict[str, Any]:
    """{"key", "title", "files", "columns", "notes", "samples": [{"file", "label", "caption", "prompt", "split"}]}."""
    good = [entry for entry in seen.entries if not entry.problem]
    # From the beginning, the middle and the end: neighbours tell the same.
    chosen = good if len(good) <= _SAMPLES else [good[0], good[len(good) // 2], good[-1]]
    samples = [
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
        "samples": samples,
    }
