"""A dataset on its way out: a zip as VideoFolder or as LLaMA-Factory's ShareGPT, written while it is sent."""

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
from orchestrator.settings import get_settings

FORMATS = ("videofolder", "sharegpt")
_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Export:
    """A zip's name, the small files in it, and the clips: (name inside, file)."""

    filename: str
    texts: dict[str, str]
    files: list[tuple[str, Path]]


def plan_export(session: Session, actor: Actor, dataset_id: int, form: str) -> Export:
    """What the zip will hold: the good clips with what is said about them.

    Raises:
        Invalid: another form. Conflict: no clips. NotFound.
    """
    if form not in FORMATS:
        raise Invalid(f"Choose one of: {', '.join(FORMATS)}.", "format")
    dataset = owned_dataset(session, actor, dataset_id)
    good = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK).order_by(col(Clip.id))
    clips = list(session.exec(good))
    if not clips:
        raise Conflict("This dataset has no clips to export yet.")
    root = get_settings().storage_dir
    named = [(clip, f"clips/{clip.id}-{_plain(clip.name.rpartition('/')[2])}") for clip in clips]
    texts = _table(named) if form == "videofolder" else _conversations(named, dataset.task)
    stem = _plain(dataset.name) or "dataset"
    return Export(f"{stem}-v{dataset.version}-{form}.zip", texts, [(name, root / clip.path) for clip, name in named])


def stream(export: Export) -> Iterator[bytes]:
    """The zip's bytes, uncompressed since videos do not shrink; never more than a block in memory."""
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
    asks = any(clip.prompt for clip, _ in named)
    writer.writerow(("file_name", "label", "caption", "split", *(("question",) if asks else ())))
    for clip, name in named:
        split = "" if clip.split is Split.AUTO else clip.split.value
        writer.writerow((name, clip.label, clip.caption, split, *((clip.prompt,) if asks else ())))
    return {"metadata.csv": text.getvalue()}


def _conversations(named: list[tuple[Clip, str]], task: Task) -> dict[str, str]:
    """One file a split; `label` stays beside the conversation."""
    annotation = TASKS[task].annotation
    rows: dict[Split, list[dict[str, Any]]] = {}
    for clip, name in named:
        ask = clip.prompt or annotation.spec.export_question
        answer = getattr(clip, annotation)
        messages = [{"role": "user", "content": f"<video>{ask}"}, {"role": "assistant", "content": answer}]
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
    texts = {names[split]: json.dumps(found, ensure_ascii=False, indent=1) for split, found in rows.items()}
    return texts | {"dataset_info.json": json.dumps(info, indent=2)}


def _plain(name: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^\w.\- ]+", "_", name).strip(". ")[:120]


class _Sink(io.RawIOBase):
    """Where the zip is written to; what is there is taken out and sent."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def take(self) -> bytes:
        """Everything written since the last time."""
        found, self._blocks = b"".join(self._blocks), []
        return found
