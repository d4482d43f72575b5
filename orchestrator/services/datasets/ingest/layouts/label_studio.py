"""Label Studio's exports, JSON and JSON-MIN: the choices, texts and labelled times of each task."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote

from orchestrator.domain.annotations import Span
from orchestrator.domain.web_addresses import split_address
from orchestrator.services.datasets.files import is_video
from orchestrator.services.datasets.ingest.layouts.annotation_texts import values_of_texts
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.rows import Row, peek
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import Tree

_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")
"""The name that Label Studio gives to an uploaded file."""
_ABOUT_THE_TASK = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "inner_id"}
    | {"total_annotations"}
)


@dataclass(slots=True)
class _Result:
    """What one annotation says about a film."""

    labels: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    spans: list[tuple[Span | None, list[str]]] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    """Kinds of results that cannot be used."""


def read(tree: Tree) -> DetectedLayout | None:
    """Reads lists of tasks; of several annotations of a task the first one that was not cancelled is used."""
    collected = EntryCollector(tree, "label_studio", "Label Studio (JSON)")
    further, empty = 0, 0
    others: set[str] = set()
    for file in tree.json_files():
        rows = tree.rows(file)
        if not any(_is_task(row) or _is_flat(row) for row in rows[:20]):
            continue
        collected.add_source(file)
        texts_are_labels = _texts_are_labels(rows)
        for row in collected.rows(file):
            film = _film(row.get("data") if _is_task(row) else row)
            results = list(_results(row)) if _is_task(row) else [_flat_result(row, texts_are_labels)]
            further += max(len(results) - 1, 0)
            if not film or not results:
                empty += 1
                continue
            result = results[0]
            others |= result.others
            name = PurePosixPath(film).name
            names = {"split": split_in(file), "alternatives": _shorter_names(name)}
            labels = result.labels if len(result.labels) > 1 else "".join(result.labels)
            if labels or result.captions or not result.spans:
                collected.add(film, file, labels=labels, captions=result.captions, **names)
            for span, span_labels in result.spans:
                collected.add(film, file, labels=span_labels, span=span, **names)
    return collected.done({"file": "data", "label": "choices", "caption": "textarea"}, _notes(further, empty, others))


def _notes(further: int, empty: int, others: set[str]) -> list[str]:
    notes = []
    if further:
        annotations = "1 further annotation" if further == 1 else f"{further:,} further annotations"
        notes.append(f"{annotations} of tasks that several people annotated: the first of each task is used.")
    if empty:
        notes.append(f"{'1 task has' if empty == 1 else f'{empty:,} tasks have'} no film or no annotation.")
    if others:
        notes.append(f"Results of these kinds cannot be used: {', '.join(sorted(others))}.")
    return notes


def _is_task(row: Row) -> bool:
    return isinstance(peek(row, "data"), Mapping) and isinstance(peek(row, "annotations"), list)


def _is_flat(row: Row) -> bool:
    return "annotation_id" in row and "lead_time" in row


def _film(values: Any) -> str:
    """The path of the film in the values of a task: a path, an address, or a local file's `?d=`."""
    for key in values if isinstance(values, Mapping) else ():
        value = peek(values, key) if isinstance(values, dict) else values[key]
        if isinstance(value, str):
            address = split_address(value)
            path = unquote((parse_qs(address.query).get("d") or [address.path])[0])
            if is_video(path):
                values[key]  # counts as read
                return path.lstrip("/")
    return ""


def _shorter_names(name: str) -> tuple[str, ...]:
    """The name without the mark of an upload."""
    uploaded = _UPLOADED.fullmatch(name)
    return (name, uploaded[1]) if uploaded else (name,)


def _results(row: Row) -> Iterator[_Result]:
    for annotation in row.get("annotations") or ():
        if isinstance(annotation, Mapping) and not annotation.get("was_cancelled") and annotation.get("result"):
            yield _result(annotation["result"])


def _result(regions: Any) -> _Result:
    result = _Result()
    for region in regions if isinstance(regions, list) else []:
        if not isinstance(region, Mapping):
            continue
        kind, value = str(region.get("type") or ""), region.get("value")
        value = value if isinstance(value, Mapping) else {}
        if kind == "choices":
            result.labels += _strings(value.get("choices"))
        elif kind == "textarea":
            result.captions += _strings(value.get("text"))
        elif kind == "taxonomy":
            paths = value.get("taxonomy")
            result.labels += [str(path[-1]) for path in paths if path] if isinstance(paths, list) else []
        elif kind == "labels" and {"start", "end"} <= value.keys():
            result.spans.append((read_span(value["start"], value["end"]), _strings(value.get("labels"))))
        else:
            result.others.add(kind or "no type")
    return result


def _flat_result(row: Row, texts_are_labels: bool) -> _Result:
    """The values of a JSON-MIN task; all that do not describe the task itself."""
    result = _Result()
    for key in list(row):
        value = peek(row, key)
        if key in _ABOUT_THE_TASK or (isinstance(value, str) and is_video(split_address(value).path)):
            continue
        row.get(key)
        if isinstance(value, str) and value.strip():
            (result.labels if texts_are_labels else result.captions).append(value)
        elif isinstance(value, Mapping) and "choices" in value:
            result.labels += _strings(value["choices"])
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            result.captions += value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping) and {"start", "end"} <= item.keys():
                    labels = next((_strings(item[name]) for name in ("labels", "timelinelabels") if name in item), [])
                    result.spans.append((read_span(item["start"], item["end"]), labels))
                else:
                    result.others.add(key)
    for key in _ABOUT_THE_TASK & row.keys():
        row.get(key)
    return result


def _texts_are_labels(rows: list[Row]) -> bool:
    """Whether the texts of JSON-MIN tasks are choices: they repeat, as class names do."""
    texts = [
        value
        for row in rows
        if _is_flat(row)
        for key in row
        if key not in _ABOUT_THE_TASK
        and isinstance(value := peek(row, key), str)
        and value.strip()
        and not is_video(split_address(value).path)
    ]
    return bool(texts) and "label" in values_of_texts(texts)[0]


def _strings(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item.strip()]
