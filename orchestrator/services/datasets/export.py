"""Exports a dataset as a zip in the format VideoFolder or LLaMA-Factory's ShareGPT, written while it is sent."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.datasets import Clip, ClipStatus, Split
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.tasks import TASKS, Task
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.datasets.formula_cells import escape_formula
from orchestrator.settings import get_settings

FORMATS = ("videofolder", "sharegpt")
_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Export:
    """The name of the zip, its text files by name, and its clips as (name inside, file)."""

    filename: str
    texts: dict[str, str]
    files: list[tuple[str, Path]]


def plan_export(session: Session, actor: Actor, dataset_id: int, layout: str) -> Export:
    """Collects what the zip will hold: the usable clips with their labels and captions.

    Args:
        layout: one of `FORMATS`.

    Raises:
        Invalid: another format. Conflict: there are no clips. NotFound.
    """
    if layout not in FORMATS:
        raise Invalid(f"Choose one of: {', '.join(FORMATS)}.", "format")
    dataset = owned_dataset(session, actor, dataset_id)
    usable = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK).order_by(col(Clip.id))
    clips = list(session.exec(usable))
    if not clips:
        raise Conflict("This dataset has no clips to export yet.")
    root = get_settings().storage_dir
    named = [(clip, f"clips/{clip.id}-{_portable(clip.name.rpartition('/')[2])}") for clip in clips]
    texts = _table(named) if layout == "videofolder" else _conversations(named, dataset.task)
    stem = _portable(dataset.name) or "dataset"
    return Export(f"{stem}-v{dataset.version}-{layout}.zip", texts, [(name, root / clip.path) for clip, name in named])


def stream(export: Export) -> Iterator[bytes]:
    """The bytes of the zip, uncompressed because videos do not shrink; at most one block is in memory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, text in export.texts.items():
            archive.writestr(name, text)
        for name, path in export.files:
            if not path.is_file():
                continue
            with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)
                    yield sink.take()
    yield sink.take()


def _table(named: list[tuple[Clip, str]]) -> dict[str, str]:
    text = io.StringIO()
    writer = csv.writer(text)
    has_questions = any(clip.prompt for clip, _ in named)
    writer.writerow(("file_name", "label", "caption", "split", *(("question",) if has_questions else ())))
    for clip, name in named:
        split = "" if clip.split is Split.AUTO else clip.split.value
        label, caption, question = map(escape_formula, (clip.label, clip.caption, clip.prompt))
        writer.writerow((name, label, caption, split, *((question,) if has_questions else ())))
    return {"metadata.csv": text.getvalue()}


def _conversations(named: list[tuple[Clip, str]], task: Task) -> dict[str, str]:
    """One file for each split; a label is kept in its own field."""
    annotation = TASKS[task].annotation
    rows: dict[Split, list[dict[str, Any]]] = {}
    for clip, name in named:
        question = clip.prompt or annotation.spec.export_question
        answer = getattr(clip, annotation)
        messages = [{"role": "user", "content": f"<video>{question}"}, {"role": "assistant", "content": answer}]
        row = {"messages": messages, "videos": [name]} | ({"label": clip.label} if clip.label else {})
        rows.setdefault(clip.split, []).append(row)
    names = {Split.AUTO: "data.json", Split.TRAIN: "train.json", Split.VALIDATION: "validation.json"}
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    columns = {"messages": "messages", "videos": "videos"}
    info = {
        names[split].removesuffix(".json"): {
            "file_name": names[split],
            "formatting": "sharegpt",
            "columns": columns,
            "tags": tags,
        }
        for split in rows
    }
    texts = {names[split]: json.dumps(of_split, ensure_ascii=False, indent=1) for split, of_split in rows.items()}
    return texts | {"dataset_info.json": json.dumps(info, indent=2)}


def _portable(name: str) -> str:
    """The name with only characters that every file system accepts."""
    return re.sub(r"[^\w.\- ]+", "_", name).strip(". ")[:120]


class _Sink(io.RawIOBase):
    """The file that the zip is written to; its content is taken out and sent."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def take(self) -> bytes:
        """Everything that was written since the last call."""
        content, self._blocks = b"".join(self._blocks), []
        return content
