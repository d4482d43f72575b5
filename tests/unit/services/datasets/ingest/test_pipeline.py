"""Uploads become clips: every layout people use, every bad zip they send, and nothing half-made after a refusal."""

import io
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from orchestrator.domain.clip_facts import ClipFacts
from orchestrator.domain.datasets import (
    Clip,
    ClipProblem,
    ClipStatus,
    Dataset,
    DatasetStatus,
    Split,
    Upload,
    UploadStatus,
)
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.catalog import delete_dataset, dismiss_notice
from orchestrator.services.datasets.curation.edits import Change, edit_clips, undo_edit
from orchestrator.services.datasets.curation.versions import clips_at, list_edits
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest import pipeline
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.ingest.uploads import begin_upload
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings
from tests.fakes.uploads import uploaded_dataset, zipped
from tests.studio import make_person

GOOD = [f"{label}/{i}.mp4" for label in ("left", "right") for i in range(3)]


def fake_probe(asked: Sequence[tuple[str, str, str]]) -> list[ClipFacts]:
    return [_fake_facts(Path(path), name, Path(strip)) for path, name, strip in asked]


def _fake_facts(path: Path, name: str, strip: Path) -> ClipFacts:
    if b"broken" in path.read_bytes():
        return ClipFacts(problem=f"{name} is cut off.")
    strip.parent.mkdir(parents=True, exist_ok=True)
    strip.write_bytes(b"jpeg")
    return ClipFacts(20, 10.0, 64, 48, 2.0, "h264")


def clips(names: list[str]) -> dict[str, bytes]:
    return {name: name.encode() for name in names}


def dataset_of(dataset_id: int) -> Dataset:
    with session_scope() as session:
        return session.get_one(Dataset, dataset_id)


def clips_of(dataset_id: int) -> list[Clip]:
    with session_scope() as session:
        return list(session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(Clip.name)))


@pytest.mark.parametrize("prefix", ["", "my videos/"])
def test_a_zip_of_class_folders(ada: Actor, prefix: str) -> None:
    litter = ["__MACOSX/left/._0.mp4", "left/.DS_Store"]
    dataset_id = uploaded_dataset(ada, {"all.zip": zipped(clips([prefix + name for name in GOOD] + litter))})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    dataset = dataset_of(dataset_id)
    assert (dataset.status, dataset.clip_count, dataset.bad_count) == (DatasetStatus.READY, 6, 0)
    assert dataset.class_names == ["left", "right"]
    root = get_settings().storage_dir
    assert all((root / clip.path).is_file() and (root / clip.thumbnail_path).is_file() for clip in clips_of(dataset_id))
    assert not list((get_settings().data_dir / "uploads").iterdir())
    assert not list(dataset_folder(dataset_id).glob("incoming-*"))


def test_files_with_their_folders(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(GOOD))
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    assert {clip.label for clip in clips_of(dataset_id)} == {"left", "right"}


def test_split_folders(ada: Actor) -> None:
    names = [f"data/{split}/{label}/{i}.mp4" for split in ("train", "val") for label in "ab" for i in range(2)]
    dataset_id = uploaded_dataset(ada, {"d.zip": zipped(clips(names))})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    found = {clip.name: (clip.split, clip.label) for clip in clips_of(dataset_id)}
    assert found["data/val/a/0.mp4"] == (Split.VALIDATION, "a")
    assert found["data/train/b/1.mp4"] == (Split.TRAIN, "b")


def test_a_class_may_be_called_test(ada: Actor) -> None:
    dataset_id = uploaded_dataset(
        ada, {"d.zip": zipped(clips([f"{label}/{i}.mp4" for label in ("test", "rest") for i in "ab"]))}
    )
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    assert {(clip.split, clip.label) for clip in clips_of(dataset_id)} == {(Split.AUTO, "test"), (Split.AUTO, "rest")}


def test_bad_files_are_listed_with_their_reason(ada: Actor) -> None:
    files = clips(GOOD) | {
        "left/cut.mp4": b"broken",
        "right/notes.doc": b"words",
        "right/again.mp4": b"left/0.mp4",
        "loose.mp4": b"loose",
    }
    dataset_id = uploaded_dataset(ada, {"all.zip": zipped(files)})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    bad = [clip for clip in clips_of(dataset_id) if clip.status is ClipStatus.BAD]
    assert {clip.name: (clip.problem_kind, clip.problem) for clip in bad} == {
        "left/cut.mp4": (ClipProblem.DAMAGED, "cut.mp4 is cut off."),
        "right/again.mp4": (ClipProblem.DUPLICATE, "Is the same video as left/0.mp4."),
    }
    (waits,) = (clip for clip in clips_of(dataset_id) if clip.status is ClipStatus.QUARANTINED)
    assert waits.problem_kind is ClipProblem.NOT_ANNOTATED
    assert waits.problem == "loose.mp4 is in no folder. Put the clips of each class into a folder of its own."
    assert (get_settings().storage_dir / waits.path).read_bytes() == b"loose"
    assert waits.frames == 20
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).bad_count) == (6, 3)
    assert [(group["names"], group["reason"]) for group in dataset_of(dataset_id).layout["not_used"]] == [
        (["right/notes.doc"], "It is neither a film, nor an archive, nor a text that describes films."),
        (["left/cut.mp4"], "It is cut off."),
        (["right/again.mp4"], "It is the same video as another clip."),
    ]


def link_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("left/0.mp4")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (zipped({}), "is empty"),
        (zipped(clips(["../left/0.mp4"])), "points outside"),
        (zipped(clips(["/left/0.mp4"])), "points outside"),
        (zipped(clips(["a\\..\\..\\0.mp4"])), "points outside"),
        (zipped({"left/0.mp4": b"\0" * 20_000_000}), "unpacks to 20.0\u00a0MB"),
        (link_zip(), "holds only links"),
        (b"PK\x03\x04 but no zip", "is not a zip"),
        (zipped(clips(GOOD))[:-40], "is not a zip"),
        (zipped({"a/x.mp4": b"broken 1", "b/y.mp4": b"broken 2"}), "None of the files can be used. x.mp4 is cut off."),
        (zipped(clips(["a.txt"])), "None of the files can be used."),
    ],
)
def test_a_refused_zip_leaves_its_sentence_and_nothing_else(ada: Actor, data: bytes, sentence: str) -> None:
    dataset_id = uploaded_dataset(ada, {"all.zip": data})
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    dataset = dataset_of(dataset_id)
    assert dataset.status is DatasetStatus.ERROR
    assert sentence in dataset.error
    assert clips_of(dataset_id) == []
    assert [path for path in dataset_folder(dataset_id).rglob("*") if path.is_file()] == []
    assert not list((get_settings().data_dir / "uploads").iterdir())
    assert not (get_settings().data_dir.parent / "left").exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (zipped(clips(["left/0.mp4", "left/1.mp4"])), "There is only one class, left."),
        (zipped(clips(["left/0.mp4", "right/0.mp4"])), "No class has 2 usable clips"),
        (zipped(clips(["x.mp4", "y.mp4"])), "None of the files can be used. x.mp4 is in no folder."),
    ],
)
def test_what_says_too_little_waits_for_a_correction_or_for_other_files(ada: Actor, data: bytes, sentence: str) -> None:
    dataset_id = uploaded_dataset(ada, {"all.zip": data})
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    dataset = dataset_of(dataset_id)
    assert dataset.status is DatasetStatus.ERROR
    assert sentence in dataset.error
    assert dataset.layout["title"]
    assert clips_of(dataset_id) == []
    assert [path for path in dataset_folder(dataset_id).rglob("*") if path.is_file()] == []
    assert len(list((get_settings().data_dir / "uploads").iterdir())) == 1
    with session_scope() as session:
        begin_upload(session, ada, dataset_id, "left/0.mp4", 10)
    assert len(list((get_settings().data_dir / "uploads").iterdir())) == 1
    assert (dataset_of(dataset_id).status, dataset_of(dataset_id).error) == (DatasetStatus.DRAFT, "")


def add(actor: Actor, dataset_id: int, files: dict[str, bytes]) -> str:
    """More files for a dataset that is ready."""
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        dataset.status = DatasetStatus.PROCESSING
        session.add(dataset)
        for filename, data in files.items():
            key = f"{dataset_id}-{dataset.version}-{filename.replace('/', '-')}"
            upload = Upload(id=key, owner_id=actor.user_id, dataset_id=dataset_id, filename=filename, length=len(data))
            upload.status = UploadStatus.COMPLETE
            session.add(upload)
            upload_path(key).write_bytes(data)
    return ingest_dataset(dataset_id, fake_probe)


def test_more_clips_later(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(GOOD))
    ingest_dataset(dataset_id, fake_probe)
    assert add(ada, dataset_id, {"up/0.mp4": b"more", "up/1.mp4": b"most"}) == "ready"
    dataset = dataset_of(dataset_id)
    assert (dataset.clip_count, dataset.class_names, dataset.version) == (8, ["left", "right", "up"], 2)
    assert "again" not in dataset.layout


def test_a_clip_that_comes_again_takes_the_words_it_had_none_of(ada: Actor) -> None:
    films = {f"{name}.mp4": name.encode() for name in "abcd"}
    dataset_id = uploaded_dataset(ada, {**films, "a.txt": b"a red ball"}, Task.CAPTIONING)
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    with session_scope() as session:
        ids = {clip.name: clip.id or 0 for clip in session.exec(select(Clip))}
        edit_clips(session, ada, dataset_id, [ids["b.mp4"]], Change(label="toys"))
        edit_clips(session, ada, dataset_id, [ids["d.mp4"]], Change(caption="by hand"))
        edit_clips(session, ada, dataset_id, [ids["d.mp4"]], Change(status="quarantined"))
    table = b"""file_name,caption,split,label
a.mp4,another ball,,
x/b.mp4,a blue ball,validation,balls
c.mp4,,,
d.mp4,by hand,,
"""
    brought = {"a.mp4": b"a", "x/b.mp4": b"b", "c.mp4": b"c", "d.mp4": b"d", "e.mp4": b"e", "metadata.csv": table}
    assert add(ada, dataset_id, brought) == "ready"
    dataset = dataset_of(dataset_id)
    assert dataset.layout["again"] == (
        "4 clips were here already. 1 had no caption and took the one that came now. "
        "1 came with another caption, and kept its own."
    )
    found = {clip.name: (clip.caption, clip.status, clip.problem) for clip in clips_of(dataset_id)}
    assert found["a.mp4"] == ("a red ball", ClipStatus.OK, "")
    assert found["b.mp4"] == ("a blue ball", ClipStatus.OK, "")
    assert found["c.mp4"][:2] == ("", ClipStatus.QUARANTINED)
    assert found["d.mp4"] == ("by hand", ClipStatus.QUARANTINED, "")  # a user left it out
    assert len(found) == 5
    assert (dataset.version, dataset.clip_count, dataset.bad_count) == (5, 2, 3)
    with session_scope() as session:
        assert [clip.caption for clip in clips_at(session, dataset_id, 4)] == ["a red ball"]
        assert [clip.split for clip in clips_at(session, dataset_id, 5)] == [Split.AUTO, Split.VALIDATION]
        assert [clip.label for clip in clips_at(session, dataset_id, 5)] == ["", "toys"]
        edit = list_edits(session, ada, dataset_id).items[0]
        assert (edit.version, edit.what) == (5, "1 clip: the caption of files that were uploaded again")
        undo_edit(session, ada, dataset_id, edit.id)
    assert {clip.name: clip.caption for clip in clips_of(dataset_id)}["b.mp4"] == ""
    with session_scope() as session:
        assert "again" not in dismiss_notice(session, ada, dataset_id).layout


def test_clips_without_labels_come_again_in_class_folders(ada: Actor) -> None:
    """One of them is damaged, one film lies there twice; all say nothing until now."""
    dataset_id = uploaded_dataset(ada, {**clips(["1.mp4", "2.mp4", "3.mp4"]), "4.mp4": b"1.mp4", "5.mp4": b"broken"})
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).layout = {"reading": {"by_hand": True}}
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).version) == (0, 1)
    again = {"up/1.mp4": b"1.mp4", "down/2.mp4": b"2.mp4", "down/6.mp4": b"6", "up/5.mp4": b"broken"}
    assert add(ada, dataset_id, again) == "ready"
    dataset = dataset_of(dataset_id)
    assert (dataset.class_names, dataset.clip_count, dataset.version) == (["down", "up"], 3, 2)
    assert dataset.layout["again"] == "2 clips were here already. 2 had no label and took the one that came now."
    with session_scope() as session:
        found = {clip.name: clip.label for clip in clips_at(session, dataset_id, 2)}
    assert found == {"1.mp4": "up", "2.mp4": "down", "down/6.mp4": "down"}


def test_captions_next_to_their_clips(ada: Actor) -> None:
    files = {"a.mp4": b"a", "a.txt": b"a red ball", "b.mp4": b"b"}
    dataset_id = uploaded_dataset(ada, files, Task.CAPTIONING)
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    found = {clip.name: (clip.caption, clip.status) for clip in clips_of(dataset_id)}
    assert found == {"a.mp4": ("a red ball", ClipStatus.OK), "b.mp4": ("", ClipStatus.QUARANTINED)}


def test_a_fenced_worker_leaves_everything(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(GOOD))
    assert ingest_dataset(dataset_id, fake_probe, should_continue=lambda: False) == "left to another worker"
    assert dataset_of(dataset_id).status is DatasetStatus.PROCESSING
    assert ingest_dataset(dataset_id, fake_probe) == "ready"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_damaged_in_the_middle_is_refused(ada: Actor, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("left/1.mp4", bytes(range(256)) * 400)
    data = bytearray(buffer.getvalue())
    data[50:200] = b"\xff" * 150
    dataset_id = uploaded_dataset(ada, {"mine.zip": bytes(data)})
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    with session_scope() as session:
        assert "damaged" in session.get_one(Dataset, dataset_id).error


def test_two_zips_with_the_same_names_lose_nothing(ada: Actor) -> None:
    first = zipped({name: f"first {name}".encode() for name in GOOD})
    second = zipped({name: f"second {name}".encode() for name in GOOD})
    dataset_id = uploaded_dataset(ada, {"a.zip": first, "b.zip": second})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    with session_scope() as session:
        assert session.get_one(Dataset, dataset_id).clip_count == 2 * len(GOOD)


def test_the_same_film_in_two_datasets_is_one_file_on_the_disk(ada: Actor) -> None:
    """Content-addressed and counted by the file system: it goes with the last dataset that holds it, never before."""
    first, second = (uploaded_dataset(ada, clips(GOOD), task) for task in (Task.CLASSIFICATION, Task.CLASSIFICATION))
    other = uploaded_dataset(make_person("eve"), clips(GOOD))
    for dataset_id in (first, second, other):
        assert ingest_dataset(dataset_id, fake_probe) == "ready"
    root = get_settings().storage_dir

    def links(dataset_id: int) -> set[int]:
        return {(root / clip.path).stat().st_nlink for clip in clips_of(dataset_id)}

    assert (links(first), links(second)) == ({2}, {2})
    assert links(other) == {1}  # no user learns what others have
    with session_scope() as session:
        delete_dataset(session, ada, first)
    assert links(second) == {1}
    assert all((root / clip.path).read_bytes() == clip.name.encode() for clip in clips_of(second))
    with session_scope() as session:
        delete_dataset(session, ada, second)
    assert not [path for path in (root / "datasets").rglob("*.mp4") if str(other) not in path.parts]


@pytest.mark.parametrize("stage", ["stage_uploads", "detect_layout", "summary", "import_clips", "_record"])
def test_a_reader_that_fails_ends_the_import_at_once_with_a_sentence(
    ada: Actor, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecursionError("a bug")

    dataset_id = uploaded_dataset(ada, clips(GOOD))
    monkeypatch.setattr(pipeline, stage, fail)
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    assert "a structure that no reader here expects" in dataset_of(dataset_id).error


@pytest.mark.parametrize("stage", ["import_clips", "_record"])
def test_an_outage_during_the_import_is_left_to_another_try(
    ada: Actor, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("insert", {}, Exception("the server closed the connection"))

    dataset_id = uploaded_dataset(ada, clips(GOOD))
    monkeypatch.setattr(pipeline, stage, fail)
    with pytest.raises(OperationalError):
        ingest_dataset(dataset_id, fake_probe)
    assert dataset_of(dataset_id).status is DatasetStatus.PROCESSING


def test_what_is_not_used_is_known_when_the_files_are_read_again(ada: Actor) -> None:
    """Links in archives, pictures and damaged clips are not kept: what was said of them is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in clips([*GOOD, "photo.jpg", "left/broken.mp4"]).items():
            archive.writestr(name, data)
        link = zipfile.ZipInfo("left/link.mp4")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "0.mp4")
    dataset_id = uploaded_dataset(ada, {"all.zip": buffer.getvalue(), "old.csv": b"who,what\na,b\n"})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    before = dataset_of(dataset_id).layout
    assert {(group["kind"], *group["names"]) for group in before["not_used"]} == {
        ("file", "photo.jpg"),
        ("file", "left/broken.mp4"),
        ("file", "old.csv"),
        ("member", "all.zip: left/link.mp4"),
    }
    for _ in range(3):
        with session_scope() as session:
            request_reinterpretation(session, ada, dataset_id, {"layout": "folders"})
        assert ingest_dataset(dataset_id, fake_probe) == "ready"
        layout = dataset_of(dataset_id).layout
        by_kind = sorted((group["kind"], group["count"], *group["names"]) for group in layout["not_used"])
        assert by_kind == sorted((group["kind"], group["count"], *group["names"]) for group in before["not_used"])
        assert any("The link left/link.mp4" in note for note in layout["notes"])


def test_an_error_names_the_files_that_were_looked_at(ada: Actor) -> None:
    files = clips(["0.mp4", "1.mp4"]) | {"old.csv": b"who,what\na,b\n", "x.json": b"{"}
    dataset_id = uploaded_dataset(ada, files, Task.CAPTIONING)
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    error = dataset_of(dataset_id).error
    assert "old.csv: None of its columns (who, what) names a clip of this upload." in error
    assert "x.json is not valid JSON (line 1)" in error
