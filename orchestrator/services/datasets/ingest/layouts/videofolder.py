"""Hugging Face's VideoFolder and similar: a table or JSON lines with columns of file, label and caption."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from orchestrator.domain.annotations import Annotations, Conversation, Span, Turn
from orchestrator.services.datasets.export_marks import CONVERSATIONS
from orchestrator.services.datasets.ingest.layouts.annotation_texts import plain
from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.frame_rates import frames_span, has_frame_columns
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.matching import NamedClip, match_clips
from orchestrator.services.datasets.ingest.layouts.options import chosen_option, options_of, split_cell
from orchestrator.services.datasets.ingest.layouts.spans import read_span
from orchestrator.services.datasets.ingest.layouts.splits import split_in
from orchestrator.services.datasets.ingest.layouts.tree import TABLE_ENDINGS, Row, Tree

_FILE = (
    *("file_name", "filename", "file", "video", "video_path", "path", "filepath", "file_path", "video_name", "clip"),
    *("clip_path", "clip_name", "video_file", "video_filename", "media", "video_id", "videoid", "vid"),
)
_CAPTION = (
    *("caption", "text", "sentence", "description", "prompt_text", "captions", "transcript"),
    *("answer", "response"),
)
_LABEL = ("label", "class", "category", "class_name", "label_name", "action", "target", "activity")
_LABELS = ("labels", "classes", "categories", "tags", "class_names", "multi_label")
_SPLIT = ("split", "subset", "partition")
_QUESTION = ("question", "query", "instruction")
"""The question that the caption answers; our own export writes `question`."""
_OPTIONS = ("options", "choices", "candidates")
_ANSWERS = ("answer", "response")
"""Columns that name one of a row's options where it has them."""
_IDS = ("video_id", "videoid", "vid")
_START = ("start", "start_time", "start_s", "start_sec", "time_start", "t_start", "begin")
_END = ("end", "end_time", "end_s", "end_sec", "time_end", "t_end", "stop")
_PREFIXES = ("video", "v_")
"""What files may have before an id that is a number: MSR-VTT's 6513 is video6513.mp4."""


def read(tree: Tree, chosen: Mapping[str, str] = MappingProxyType({})) -> DetectedLayout | None:
    """Reads every table whose rows name a video; files named metadata first, whose problems are reported.

    Args:
        chosen: the column that the user chose for a role of `reading.ROLES`; "-" for none.
    """
    collected = EntryCollector(tree, "videofolder", "VideoFolder (metadata table)")
    all_columns: dict[str, str] = {}
    for file in sorted(_tables(tree), key=lambda name: (not _is_metadata(name), name)):
        rows = tree.rows(file)
        columns = _corrected(columns_of(rows), chosen, rows)
        if "file" not in columns or not (
            {"label", "labels", "caption", "conversations"} & columns.keys() or _is_metadata(file)
        ):
            if rows and _is_metadata(file):
                _report_columns(tree, file, rows[0])
            continue
        collected.add_source(file)
        all_columns |= columns
        for row in collected.rows(file):
            stated = row.get(columns["file"])
            captions, conversations = _texts(row, columns)
            conversations += _exported(row, columns)
            collected.add(
                stated,
                file,
                labels=_labels(row, columns),
                captions=captions,
                conversations=conversations,
                span=_span(tree, row, columns, stated),
                split=collected.split_of(row.get(columns["split"]), file) if "split" in columns else split_in(file),
                alternatives=_names_of_id(stated) if _plain_name(columns["file"]) in _IDS else (),
                folder_is_label=not {"label", "labels"} & columns.keys(),
            )
    return collected.done(all_columns)


def _texts(row: Row, columns: dict[str, str]) -> tuple[Any, list[Conversation]]:
    """(the captions of a row, its questions): with options where the caption's column names one of them."""
    answer = row.get(columns["caption"]) if "caption" in columns else ""
    question = row.get(columns["question"]) if "question" in columns else ""
    if options := _options(row, columns):
        turn = Turn(plain(question), chosen_option(options, _first(answer)), tuple(options.values()))
        return (), [Conversation((turn,))]
    if plain(question):
        answers = answer if isinstance(answer, list) else [answer]
        return (), [Conversation((Turn(plain(question), plain(text)),)) for text in answers]
    return answer, []


def _exported(row: Row, columns: dict[str, str]) -> list[Conversation]:
    """The conversations that our own export writes as JSON; [] where the cell holds anything else."""
    cell = row.get(columns["conversations"]) if "conversations" in columns else None
    try:
        stated = json.loads(cell) if isinstance(cell, str) and cell else cell
        return list(Annotations.from_json({"conversations": stated}).conversations)
    except (ValueError, TypeError, LookupError, AttributeError):
        return []


def _labels(row: Row, columns: dict[str, str]) -> Any:
    """The label of a row, or its several labels."""
    if "labels" in columns and (labels := split_cell(row.get(columns["labels"]))):
        return labels
    return row.get(columns["label"]) if "label" in columns else ""


def _options(row: Row, columns: dict[str, str]) -> dict[str, str]:
    """The options of a row's question, from the chosen column or from columns that are named like options."""
    if "options" in columns:
        return {str(number): text for number, text in enumerate(split_cell(row.get(columns["options"])))}
    return options_of(row) if _plain_name(columns.get("caption", "")) in _ANSWERS else {}


def _span(tree: Tree, row: Row, columns: dict[str, str], stated: Any) -> Span | None:
    """The part of the film that a row describes: by times, or by the frames of a folder of pictures."""
    if tree.frames.films and has_frame_columns(row):
        names = (str(stated), *_names_of_id(stated))
        match = match_clips(tree.index, [NamedClip("", names)])[0]
        if match.name in tree.frames.films:
            return frames_span(row, match.name, tree.frames)
    if not {"start", "end"} <= columns.keys():
        return None
    return read_span(row.get(columns["start"]), row.get(columns["end"]))


def _names_of_id(stated: Any) -> tuple[str, ...]:
    return tuple(f"{prefix}{stated}" for prefix in _PREFIXES)


def _plain_name(column: str) -> str:
    """`File Name` and `file-name` are file_name."""
    return re.sub(r"[\s-]+", "_", column.strip().lower())


def _tables(tree: Tree) -> set[str]:
    """The files of tables and records, and the .txt and .lst files whose header names a file column."""
    headed = {name for name in tree.texts(".txt", ".lst") if _names_files(tree.header(name))}
    return {*tree.texts(*TABLE_ENDINGS), *tree.json_files(), *headed}


def _names_files(header: list[str]) -> bool:
    return any(_plain_name(column) in _FILE for column in header)


def _is_metadata(name: str) -> bool:
    return PurePosixPath(name).stem.lower() == "metadata"


def columns_of(rows: list[Row]) -> dict[str, str]:
    """The column of each role, by the keys of the first rows."""
    keys = {_plain_name(str(key)): str(key) for row in rows[:50] for key in row if key}
    roles = {"file": _FILE, "caption": _CAPTION, "label": _LABEL, "split": _SPLIT, "question": _QUESTION}
    roles |= {"labels": _LABELS[:1] if any(name in keys for name in _LABEL) else _LABELS}
    roles |= {"conversations": (CONVERSATIONS,)}
    roles |= {"options": _OPTIONS} if any(name in keys for name in _QUESTION) else {}
    roles |= {"start": _START, "end": _END} if any(name in keys for name in _START) else {}
    detected = {role: next((keys[name] for name in names if name in keys), "") for role, names in roles.items()}
    return {role: name for role, name in detected.items() if name}


def _corrected(columns: dict[str, str], chosen: Mapping[str, str], rows: list[Row]) -> dict[str, str]:
    existing = {str(key) for row in rows[:50] for key in row if key}
    used = {role: name for role, name in chosen.items() if name in existing}
    dropped = {role for role, name in chosen.items() if name == "-"}
    return {role: name for role, name in (columns | used).items() if role not in dropped}


def _first(value: Any) -> Any:
    """The caption, or the first of several."""
    return value[0] if isinstance(value, list) and value else value


def _report_columns(tree: Tree, file: str, row: Row) -> None:
    has = ", ".join(str(key) for key in list(row)[:6] if key) or "no columns"
    tree.problems.append(
        f"{PurePosixPath(file).name} has the columns {has}; it needs file_name and one of label, caption or text."
    )
