"""The archives that people reported, through the whole import. Skipped where the shared cases are not at hand."""

from pathlib import Path

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from tests.fakes.uploads import uploaded_dataset
from tests.ingest import import_now

CASES = Path(__file__).parents[3] / "shared" / "cases" / "datasets"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="The shared cases are not beside this checkout.")
GERMAN_CHINESE = {"Grün": 2, "狗": 2}
READ: dict[str, dict[str, int]] = {
    "22/deflate64.zip": GERMAN_CHINESE,
    "24/zip_001": GERMAN_CHINESE,
    "24/part_aa": GERMAN_CHINESE,
    "24/z01": {"cat": 3, "dog": 3},
    "25/zip_in_zip.zip": {"cat": 2, "dog": 2},
    "25/tarzst_in_zip.zip": {"cat": 2, "dog": 2},
    "25/zip_in_tar.tar": {"cat": 2, "dog": 2},
    "25b/tar_with_zip_last.tar": {"cat": 2, "dog": 2},
    "31/dead_symlink.tar": {"cat": 2, "dog": 2},
    "31/symlink.zip": {"cat": 2, "dog": 2},
}
REFUSED = {
    "25/7z_in_zip.zip": ("cls.7z is a 7z archive", "Make it a zip or a tar.gz"),
}
NOTES = {"31/dead_symlink.tar": "The link README in dead_symlink.tar", "31/symlink.zip": "The link cat/link.mp4"}


def imported(ada: Actor, case: str, task: Task = Task.CLASSIFICATION) -> Dataset:
    root = CASES / case
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    base = root if root.is_dir() else root.parent
    uploads = {path.relative_to(base).as_posix(): path.read_bytes() for path in files}
    dataset_id = uploaded_dataset(ada, uploads, task)
    import_now(dataset_id)
    with session_scope() as session:
        return session.get_one(Dataset, dataset_id)


def usable_clips() -> list[Clip]:
    with session_scope() as session:
        return list(session.exec(select(Clip).where(Clip.status == ClipStatus.OK).order_by(Clip.name)))


@pytest.mark.parametrize("case", READ)
def test_an_archive_is_read(ada: Actor, case: str) -> None:
    dataset = imported(ada, case)
    assert (dataset.status, dataset.error) == ("ready", "")
    labels = [clip.label for clip in usable_clips()]
    assert {label: labels.count(label) for label in labels} == READ[case]
    assert NOTES.get(case, "") in " ".join(dataset.layout["notes"])


@pytest.mark.parametrize("case", REFUSED)
def test_an_archive_is_refused_in_a_true_sentence(ada: Actor, case: str) -> None:
    dataset = imported(ada, case)
    assert dataset.status == "error"
    assert all(part in dataset.error for part in REFUSED[case]), dataset.error


def test_a_compressed_table_is_read(ada: Actor) -> None:
    dataset = imported(ada, "25/metadata_gz.zip", Task.CAPTIONING)
    assert (dataset.status, dataset.error) == ("ready", "")
    assert [clip.caption for clip in usable_clips()] == ["A red thing", "A blue thing"]


def test_a_hard_link_is_the_file_that_it_links_to(ada: Actor) -> None:
    dataset = imported(ada, "31/hard.tar")
    assert dataset.status == "ready"
    with session_scope() as session:
        names = sorted(clip.name for clip in session.exec(select(Clip)))
    assert names == ["cat/0.mp4", "cat/1.mp4", "cat/zz_hard.mp4", "dog/0.mp4", "dog/1.mp4"]
