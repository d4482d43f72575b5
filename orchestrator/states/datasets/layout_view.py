"""What was understood of an upload, as the words the dataset's page shows."""

from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.states.datasets.rows import ClassBar
from orchestrator.states.shared import formatting

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
    coming: str = ""
    """How many clips would be taken in, while it waits to be accepted."""
    left_out: str = ""
    why: list[str] = field(default_factory=list)
    classes: list[ClassBar] = field(default_factory=list)
    classes_note: str = ""
    doubt: str = ""
    """Why it cannot be meant so, or probably is not."""


def layout_view(layout: dict[str, Any], splits: dict[str, int], task: str) -> LayoutView:
    """The layout a dataset was read with, and the splits it has now."""
    if not layout.get("title"):
        return LayoutView()
    annotation = TASKS[task].annotation
    samples = [
        Sample(
            str(row.get("file", "")),
            str(row.get(annotation)),
            str(row.get("prompt") or "") if annotation is Annotation.CAPTION else "",
        )
        for row in layout.get("samples", [])
    ]
    view = LayoutView(
        str(layout["title"]),
        ", ".join(str(name).rpartition("/")[2] for name in layout.get("files", [])[:3]),
        splits_text(splits),
        [Column(_ROLES.get(role, role), str(source)) for role, source in layout.get("columns", {}).items()],
        samples,
        [str(note) for note in layout.get("notes", [])],
    )
    return _waiting(view, layout["preview"], task) if "preview" in layout else view


def _waiting(view: LayoutView, said: dict[str, Any], task: str) -> LayoutView:
    """With what would come of it."""
    clips, out, number = int(said.get("clips", 0)), int(said.get("left_out", 0)), int(said.get("class_count", 0))
    has_classes = TASKS[task].has_classes
    classes = {str(name): int(count) for name, count in said.get("classes", {}).items()} if has_classes else {}
    top = max(classes.values(), default=1)
    doubt = ""
    if not clips:
        doubt = "Nothing of it could be used so. Correct how it is read."
    elif has_classes and number < 2:
        doubt = "There is only one class in it; two are needed. Perhaps the class is another folder or column."
    elif has_classes and number > max(20, clips // 2):
        doubt = "There are nearly as many classes as clips. Perhaps the class is another folder or column."
    return replace(
        view,
        splits=splits_text(said.get("splits", {})),
        coming=f"{formatting.plural(clips, 'clip')}, {_annotations_text(said, TASKS[task].annotation)}",
        left_out=formatting.plural(out, "file") if out else "",
        why=[str(line) for line in said.get("why", [])],
        classes=[ClassBar(name, formatting.count(n), 100 * n / top) for name, n in classes.items()],
        classes_note=f"the {len(classes)} largest of {number:,}" if number > len(classes) else "",
        doubt=doubt,
    )


def _annotations_text(preview: dict[str, Any], annotation: Annotation) -> str:
    """How many classes or captions would come in."""
    match annotation:
        case Annotation.LABEL:
            return formatting.plural(int(preview.get("class_count", 0)), "class", "classes")
        case Annotation.CAPTION:
            return formatting.plural(preview.get("captions", 0), "caption")
        case _:
            assert_never(annotation)


def splits_text(splits: dict[str, int]) -> str:
    """{"train": 80, "validation": 20} -> "80 train, 20 validation"."""
    if set(splits) <= {"auto"}:
        return "None given: each run holds some clips back"
    return ", ".join(f"{formatting.count(splits[key])} {word}" for key, word in _SPLITS.items() if splits.get(key))
