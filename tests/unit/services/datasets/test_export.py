"""The zip of an export is whole, whatever happens to its clips while it is sent."""

import io
import zipfile
from pathlib import Path

from orchestrator.services.datasets.export import DELETED_LIST, Export, stream


def plan(folder: Path) -> Export:
    files = [(f"clips/{name}", folder / name) for name in ("a.mp4", "b.mp4", "c.mp4")]
    for _, path in files:
        path.write_bytes(path.name.encode() * 300_000)
    return Export("motions.zip", {"README.md": "# Motions\n"}, files)


def unzip(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def test_a_clip_that_is_deleted_while_the_zip_is_sent_is_listed_in_it(tmp_path: Path) -> None:
    blocks = stream(plan(tmp_path))
    sent = next(blocks)
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).unlink()
    archive = unzip(sent + b"".join(blocks))
    assert archive.namelist() == ["README.md", "clips/a.mp4", "clips/c.mp4", DELETED_LIST]
    assert len(archive.read("clips/a.mp4")) == 5 * 300_000, "it was open already"
    assert archive.read(DELETED_LIST).decode().splitlines()[1:] == ["clips/b.mp4"]


def test_a_complete_zip_lists_no_deleted_clips(tmp_path: Path) -> None:
    archive = unzip(b"".join(stream(plan(tmp_path))))
    assert archive.namelist() == ["README.md", "clips/a.mp4", "clips/b.mp4", "clips/c.mp4"]
