"""How an upload was understood, as the dataset's page shows it."""

from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from orchestrator.domain import formatting
from orchestrator.domain.tasks import TASKS, Annotation
from orchestrator.services.datasets.not_used import NOT_USED, NotUsed, NotUsedKind, from_json, not_used_sentence
from orchestrator.states.datasets.rows import ClassBar

_ROLES = {
    "file": "Clip",
    "video": "Clip",
    "label": "Label",
    "labels": "Labels",
    "caption": "Caption",
    "prompt": "Question",
    "question": "Question",
    "options": "Options",
    "span": "Times",
    "start": "Start",
    "end": "End",
    "split": "Split",
}
_KINDS = {
    NotUsedKind.FILE: "Files",
    NotUsedKind.ROW: "Rows",
    NotUsedKind.COLUMN: "Columns",
    NotUsedKind.LIST: "Split lists",
    NotUsedKind.MEMBER: "Archives",
    NotUsedKind.TIME: "Times",
    NotUsedKind.MEDIA: "Media",
}
_SPLITS = {"train": "train", "validation": "validation", "auto": "not assigned"}


@dataclass(frozen=True, slots=True)
class Column:
    """Which column or file a value was read from."""

    role: str
    source: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip as it was understood; `text` is its label or caption."""

    file: str
    text: str
    prompt: str


@dataclass(frozen=True, slots=True)
class NotUsedLine:
    """Things that are not used for one reason."""

    kind: str
    what: str
    """How many of which kind: "3 files"."""
    reason: str
    step: str
    names: list[str]
    more: str
    """How many are not named; "" where all are."""


@dataclass(frozen=True, slots=True)
class LayoutView:
    """The content of the card; `title` is "" where the layout is not known (the demo, older datasets)."""

    title: str = ""
    files: str = ""
    splits: str = ""
    columns: list[Column] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    to_add: str = ""
    """How many clips would be added, while the files wait to be accepted."""
    left_out: str = ""
    why: list[str] = field(default_factory=list)
    classes: list[ClassBar] = field(default_factory=list)
    classes_note: str = ""
    doubt: str = ""
    """Why this cannot be right, or probably is not."""
    not_used_text: str = ""
    """What is not used in one line; "" where all is used."""
    not_used: list[NotUsedLine] = field(default_factory=list)
    not_used_kinds: list[dict[str, str]] = field(default_factory=list)
    """The kinds of things that are not used, as tabs."""


def layout_view(layout: dict[str, Any], splits: dict[str, int], task: str) -> LayoutView:
    """The layout that a dataset was read with, and the splits that it has now."""
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
    view = _with_not_used(view, from_json(layout.get(NOT_USED, [])))
    return _in_review(view, layout["preview"], task) if "preview" in layout else view


def _with_not_used(view: LayoutView, groups: list[NotUsed]) -> LayoutView:
    kinds = [kind for kind in NotUsedKind if any(group.kind is kind for group in groups)]
    tabs = [{"value": "all", "label": "All"}] if len(kinds) > 1 else []
    return replace(
        view,
        not_used_text=not_used_sentence(groups),
        not_used=[
            NotUsedLine(
                group.kind.value,
                not_used_sentence([group]),
                group.reason,
                group.step,
                list(group.names),
                f"and {group.count - len(group.names):,} more" if group.count > len(group.names) else "",
            )
            for group in groups
        ],
        not_used_kinds=tabs + [{"value": kind.value, "label": _KINDS[kind]} for kind in kinds],
    )


def _in_review(view: LayoutView, preview: dict[str, Any], task: str) -> LayoutView:
    """The view of files that wait to be accepted, with what would be added."""
    clips, left_out = int(preview.get("clips", 0)), int(preview.get("left_out", 0))
    class_count, has_classes = int(preview.get("class_count", 0)), TASKS[task].has_classes
    classes = {str(name): int(count) for name, count in preview.get("classes", {}).items()} if has_classes else {}
    most = max(classes.values(), default=1)
    return replace(
        view,
        splits=splits_text(preview.get("splits", {})),
        to_add=f"{_clips_text(preview, clips)}, {_annotations_text(preview, clips, TASKS[task].annotation)}",
        left_out=formatting.plural(left_out, "file") if left_out else "",
        why=[str(line) for line in preview.get("why", [])],
        classes=[ClassBar(name, formatting.count(n), 100 * n / most) for name, n in classes.items()],
        classes_note=f"the {len(classes)} largest of {class_count:,}" if class_count > len(classes) else "",
        doubt=_doubt(clips, class_count, has_classes),
    )


def _clips_text(preview: dict[str, Any], clips: int) -> str:
    """How many clips would be added, and how many of them are spans of films."""
    text, spans = formatting.plural(clips, "clip"), int(preview.get("spans", 0))
    if not spans:
        return text
    if spans < clips:  # `films` counts those of whole clips, too
        return f"{text} ({formatting.count(spans)} of them spans of films)"
    return f"{text} (spans of {formatting.plural(int(preview.get('films', 0)), 'film')})"


def _annotations_text(preview: dict[str, Any], clips: int, annotation: Annotation) -> str:
    """How many classes, labels where clips have several, captions and questions would be added."""
    labels, captions, turns = (int(preview.get(name, 0)) for name in ("labels", "captions", "turns"))
    match annotation:
        case Annotation.LABEL:
            parts = [formatting.plural(int(preview.get("class_count", 0)), "class", "classes")]
            parts += [formatting.plural(labels, "label")] if labels > clips else []
        case Annotation.CAPTION:
            parts = [formatting.plural(captions, "caption")] if captions or not turns else []
            parts += [formatting.plural(turns, "question with its answer", "questions with answers")] if turns else []
        case _:
            assert_never(annotation)
    return ", ".join(parts)


def _doubt(clips: int, class_count: int, has_classes: bool) -> str:
    if not clips:
        return "None of the files can be used like this. Change the import settings."
    if has_classes and class_count < 2:
        return "There is only one class; at least two are needed. The class may be another folder or column."
    if has_classes and class_count > max(20, clips // 2):
        return "There are nearly as many classes as clips. The class may be another folder or column."
    return ""


def splits_text(splits: dict[str, int]) -> str:
    """{"train": 80, "validation": 20} -> "80 train, 20 validation"."""
    if set(splits) <= {"auto"}:
        return "None: each job makes its own validation split"
    return ", ".join(f"{formatting.count(splits[key])} {word}" for key, word in _SPLITS.items() if splits.get(key))
