"""FiftyOne's exports: labels.json with `classes` and `labels` by the stem of each file."""

from collections.abc import Mapping
from typing import Any

from orchestrator.domain.annotations import Span
from orchestrator.services.datasets.ingest.layouts.activitynet import span_of_pair
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree


def read(tree: Tree) -> DetectedLayout | None:
    """Reads objects with `labels` by file: a class, several, or temporal detections with `timestamps` in seconds."""
    collected = EntryCollector(tree, "fiftyone", "FiftyOne (labels.json)")
    unknown, frames = 0, 0
    for file in tree.texts(".json"):
        content = tree.json_object(file)
        labels = content.get("labels") if content else None
        if not isinstance(labels, Mapping) or not labels:
            continue
        classes = content.get("classes") if content else None
        collected.add_source(file)
        for stem, value in labels.items():
            names, missing = _names([item for item in _items(value) if not _is_detection(item)], classes)
            unknown += missing
            if names:
                collected.add(stem, file, labels=names if len(names) > 1 else names[0], split=split_in(file))
            for item in filter(_is_detection, _items(value)):
                if "timestamps" not in item:
                    frames += 1
                    continue
                names, missing = _names([item], classes)
                unknown += missing
                span: Span | None = span_of_pair(item["timestamps"])
                collected.add(stem, file, labels=names, span=span, split=split_in(file))
    notes = [f"{unknown:,} labels are numbers that no entry of classes has, and cannot be used."] if unknown else []
    if frames:
        notes.append(
            f"{frames:,} detections have frame numbers (support) and no timestamps, and cannot be used. "
            "Export them with timestamps."
        )
    return collected.done({"file": "labels: the keys", "label": "labels", "span": "timestamps"}, notes)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_detection(item: Any) -> bool:
    return isinstance(item, Mapping) and bool({"timestamps", "support"} & item.keys())


def _names(items: list[Any], classes: Any) -> tuple[list[str], int]:
    """(the names of these labels, how many have none)."""
    names: list[str] = []
    missing = 0
    for item in items:
        label = item.get("label") if isinstance(item, Mapping) else item
        if isinstance(label, int) and not isinstance(label, bool) and isinstance(classes, list):
            if 0 <= label < len(classes):
                names.append(str(classes[label]))
            else:
                missing += 1
        elif isinstance(label, str | int) and not isinstance(label, bool) and str(label).strip():
            names.append(str(label))
    return names, missing
