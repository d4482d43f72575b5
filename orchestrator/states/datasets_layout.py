"""What was understood of an upload, as the words the dataset's page shows."""

from dataclasses import dataclass, field
from typing import Any

from orchestrator.states import words

_ROLES = {
    "file": "Clip",
    "video": "Clip",
    "label": "Label",
    "caption": "Caption",
    "prompt": "Question",
    "split": "Split",
}
_SPLITS = {"train": "train", "validation": "validation", "auto": "not assigned"}


@dataclass(frozen=True, slots=True)
class Column:
    """What was taken from where."""

    role: str
    source: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip as it was read."""

    file: str
    said: str
    prompt: str


@dataclass(frozen=True, slots=True)
class LayoutView:
    """The card's content; `title` is "" when nothing is known (the demo, older datasets)."""

    title: str = ""
    files: str = ""
    splits: str = ""
    columns: list[Column] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def layout_view(layout: dict[str, Any], splits: dict[str, int], task: str) -> LayoutView:
    """The layout a dataset was read with, and the splits it has now."""
    if not layout.get("title"):
        return LayoutView()
    samples = [
        Sample(
            str(row.get("file", "")),
            str(row.get("label") if task == "classification" else row.get("caption")) or "",
            str(row.get("prompt") or "") if task != "classification" else "",
        )
        for row in layout.get("samples", [])
    ]
    return LayoutView(
        str(layout["title"]),
        ", ".join(str(name).rpartition("/")[2] for name in layout.get("files", [])[:3]),
        splits_text(splits),
        [Column(_ROLES.get(role, role), str(source)) for role, source in layout.get("columns", {}).items()],
        samples,
        [str(note) for note in layout.get("notes", [])],
    )


def splits_text(splits: dict[str, int]) -> str:
    """{"train": 80, "validation": 20} -> "80 train, 20 validation"."""
    if set(splits) <= {"auto"}:
        return "None given: each run holds some clips back"
    return ", ".join(f"{words.count(splits[key])} {word}" for key, word in _SPLITS.items() if splits.get(key))
