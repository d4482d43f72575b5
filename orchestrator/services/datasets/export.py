"""Exports a dataset as a zip in one of several formats, written while it is sent."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain import formatting
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_dataset
from orchestrator.services.datasets.export_formats import FORMATS, ExportedClip, Files, Lost, lost_sentences
from orchestrator.settings import get_settings

_BLOCK = 2**20
DELETED_LIST = "DELETED.md"
"""In a zip that lacks clips which were deleted while it was sent: their names, one a line."""


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
        Invalid: another format. Conflict: there are no clips, or none that the format can hold. NotFound.
    """
    if layout not in FORMATS:
        raise Invalid(f"Choose one of: {', '.join(FORMATS)}.", "format")
    dataset = owned_dataset(session, actor, dataset_id)
    usable = select(Clip).where(Clip.dataset_id == dataset_id, Clip.status == ClipStatus.OK).order_by(col(Clip.id))
    clips = list(session.exec(usable))
    if not clips:
        raise Conflict("This dataset has no clips to export yet.")
    root, stem = get_settings().storage_dir, _portable(dataset.name) or "dataset"
    inside: dict[str, str] = {}
    """The name inside the zip by path: spans of a film share its file."""
    for clip in clips:
        inside.setdefault(clip.path, f"clips/{clip.id}-{_portable(clip.name.rpartition('/')[2])}")
    missing = {path for path in inside if not (root / path).is_file()}
    exported = [
        ExportedClip(inside[clip.path], clip.annotated, clip.split, clip.span, clip.duration_s)
        for clip in clips
        if clip.path not in missing
    ]
    title, write = FORMATS[layout]
    written = write(exported)
    written.lost[Lost.FILE] += len(clips) - len(exported)
    if not written.clips:
        raise Conflict(f"There is nothing to export. {' '.join(lost_sentences(written.lost, title))}")
    texts = written.texts | {"README.md": _readme(dataset, title, written)}
    used = {clip.file for clip in written.clips}
    files = [(name, root / path) for path, name in inside.items() if name in used]
    return Export(f"{stem}-v{dataset.version}-{layout}.zip", texts, files)


def _readme(dataset: Dataset, title: str, written: Files) -> str:
    """What the zip holds, and what of the dataset it cannot hold."""
    lines = [
        f"# {dataset.name}, version {dataset.version}",
        f"{formatting.plural(len(written.clips), 'clip')} in the format {title}: {', '.join(sorted(written.texts))}.",
        *lost_sentences(written.lost, title),
    ]
    return "\n\n".join(lines) + "\n"


def stream(export: Export) -> Iterator[bytes]:
    """The bytes of the zip, uncompressed because videos do not shrink; at most one block is in memory.

    It is always a whole zip: clips that are deleted meanwhile are left out and listed in it.
    """
    sink, deleted = _Sink(), list[str]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, text in export.texts.items():
            archive.writestr(name, text)
        for name, path in export.files:
            try:
                source = path.open("rb")
            except FileNotFoundError:
                deleted.append(name)
                continue
            with source, archive.open(name, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)
                    yield sink.take()
        if deleted:
            lines = [
                "These clips were deleted while this file was sent. The annotations here still name them.",
                *deleted,
            ]
            archive.writestr(DELETED_LIST, "\n".join(lines) + "\n")
    yield sink.take()


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
