"""Hugging Face's VideoFolder and similar: a table or JSON lines with columns of file, label and caption."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from orchestrator.services.datasets.ingest.layouts.entry import DetectedLayout
from orchestrator.services.datasets.ingest.layouts.gathering import EntryCollector
from orchestrator.services.datasets.ingest.layouts.splits import split_in, split_of
from orchestrator.services.datasets.ingest.layouts.tree import TABLE_ENDINGS, Row, Tree

_FILE = ("file_name", "filename", "file", "video", "video_path", "path", "filepath", "video_name", "clip", "media")
_CAPTION = ("caption", "text", "sentence", "description", "prompt_text", "captions", "transcript")
_LABEL = ("label", "class", "category", "class_name", "label_name", "action", "target")
_SPLIT = ("split", "subset", "partition")
_PROMPT = ("question",)
"""The question that the caption answers; our own export writes this column."""


def read(tree: Tree, chosen: Mapping[str, str] = MappingProxyType({})) -> DetectedLayout | None:
    """Reads every table whose rows name a video; files named metadata first, whose problems are reported.

    Args:
        chosen: the column that the user chose for a role (file, label, caption, split); "-" for none.
    """
    collected = EntryCollector(tree, "videofolder", "VideoFolder (metadata table)")
    all_columns: dict[str, str] = {}
    for file in sorted(tree.texts(*TABLE_ENDINGS), key=lambda name: not _is_metadata(name)):
        rows = tree.rows(file)
        columns = _corrected(_columns(rows), chosen, rows)
        if "file" not in columns or not ({"label", "caption"} & columns.keys() or _is_metadata(file)):
            if rows and _is_metadata(file):
                _report_columns(tree, file, rows[0])
            continue
        collected.add_source(file)
        all_columns |= columns
        for row in rows:
            label = row.get(columns["label"]) if "label" in columns else ""
            caption = _first(row.get(columns["caption"])) if "caption" in columns else ""
            split = split_of(row.get(columns["split"])) if "split" in columns else split_in(file)
            prompt = row.get(columns["prompt"]) if "prompt" in columns else ""
            stated, by_folder = row.get(columns["file"]), "label" not in columns
            collected.add(stated, file, label, caption, prompt, split, folder_is_label=by_folder)
    return collected.done(all_columns)


def _is_metadata(name: str) -> bool:
    return PurePosixPath(name).stem.lower() == "metadata"


def _columns(rows: list[Row]) -> dict[str, str]:
    """The column of each role, by the keys of the first rows."""
    keys = {str(key).lower(): str(key) for row in rows[:50] for key in row if key}
    roles = {"file": _FILE, "caption": _CAPTION, "label": _LABEL, "split": _SPLIT, "prompt": _PROMPT}
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
