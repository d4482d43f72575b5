"""A dataset that was not understood rightly is read again: nothing is uploaded twice, nothing good is lost."""

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, ClipStatus, DatasetStatus, Split, Upload, UploadStatus
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.doctor import examine
from orchestrator.services.datasets.curation.edits import Change, edit_clips, undo_edit
from orchestrator.services.datasets.curation.versions import clips_at, list_edits
from orchestrator.services.datasets.ingest import reinterpret
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.settings import get_settings
from tests.fakes.uploads import uploaded_dataset
from tests.studio import make_person
from tests.unit.services.datasets.ingest.test_pipeline import clips, clips_of, dataset_of, fake_probe

DAYS = [f"{label}/monday/{i}.mp4" for label in ("cat", "dog") for i in range(2)]
DAYS += ["cat/tuesday/8.mp4", "dog/tuesday/9.mp4"]


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reinterpret, "enqueue", lambda *_, **__: None)


def again(actor: Actor, dataset_id: int, **reading: object) -> str:
    with session_scope() as session:
        request_reinterpretation(session, actor, dataset_id, reading)
    return ingest_dataset(dataset_id, fake_probe)


def labels(dataset_id: int) -> dict[str, str]:
    return {clip.name: clip.label for clip in clips_of(dataset_id) if clip.status is ClipStatus.OK}


def test_the_class_is_another_folder(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(DAYS))
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    assert dataset_of(dataset_id).class_names == ["monday", "tuesday"]
    files = {clip.name: clip.path for clip in clips_of(dataset_id)}
    assert again(ada, dataset_id, layout="folders", level=2) == "ready"
    dataset = dataset_of(dataset_id)
    assert (dataset.class_names, dataset.clip_count, dataset.version, dataset.stage) == (["cat", "dog"], 6, 2, "")
    assert {clip.name: clip.path for clip in clips_of(dataset_id)} == files
    with session_scope() as session:
        edit = list_edits(session, ada, dataset_id).items[0]
        undo_edit(session, ada, dataset_id, edit.id)
    assert set(labels(dataset_id).values()) == {"monday", "tuesday"}


def test_a_table_whose_columns_nobody_knew(ada: Actor) -> None:
    """At first nothing can be used; the upload waits, and is read with the columns that the user names."""
    table = b"which,says,part\n1.mp4,a cat,train\n2.mp4,a dog,val\n"
    dataset_id = uploaded_dataset(ada, clips(["1.mp4", "2.mp4"]) | {"notes.csv": table}, Task.CAPTIONING)
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    assert dataset_of(dataset_id).layout["choices"]["columns"] == ["which", "says", "part"]
    columns = {"file": "which", "caption": "says", "split": "part"}
    assert again(ada, dataset_id, layout="videofolder", columns=columns) == "ready"
    assert [(clip.caption, clip.split) for clip in clips_of(dataset_id)] == [
        ("a cat", Split.TRAIN),
        ("a dog", Split.VALIDATION),
    ]
    # The table was kept aside: without its splits, still nothing is uploaded.
    assert again(ada, dataset_id, layout="videofolder", columns=columns, ignore_splits=True) == "ready"
    assert {clip.split for clip in clips_of(dataset_id)} == {Split.AUTO}


def test_clips_that_were_left_out_come_in(ada: Actor) -> None:
    """Two clips lie in no folder; a table that names them all was not recognised at first."""
    rows = "which,who\n" + "".join(f"{name},{'ab'[i % 2]}\n" for i, name in enumerate([*DAYS, "x.mp4", "y.mp4"]))
    dataset_id = uploaded_dataset(ada, clips([*DAYS, "x.mp4", "y.mp4"]) | {"t.csv": rows.encode()})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).bad_count) == (6, 2)
    assert again(ada, dataset_id, layout="videofolder", columns={"file": "which", "label": "who"}) == "ready"
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).bad_count) == (8, 0)
    assert labels(dataset_id)["y.mp4"] == "b"
    assert again(ada, dataset_id, layout="videofolder", columns={"file": "which", "label": "who"}) == "ready"
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).bad_count) == (8, 0)


def test_a_reading_that_fits_nothing_leaves_everything(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(DAYS))
    ingest_dataset(dataset_id, fake_probe)
    before = labels(dataset_id)
    assert again(ada, dataset_id, layout="msrvtt") == "kept"
    dataset = dataset_of(dataset_id)
    assert dataset.status is DatasetStatus.READY
    assert "MSR-VTT" in dataset.error
    assert labels(dataset_id) == before
    assert again(ada, dataset_id) == "ready"
    assert dataset_of(dataset_id).error == ""


def test_more_files_that_fail_leave_a_ready_dataset_ready(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(DAYS))
    ingest_dataset(dataset_id, fake_probe)
    with session_scope() as session:
        dataset = session.get_one(type(dataset_of(dataset_id)), dataset_id)
        dataset.status = DatasetStatus.PROCESSING
        session.add(dataset)
        upload = Upload(id="bad", owner_id=ada.user_id, dataset_id=dataset_id, filename="x.zip", length=4)
        upload.status = UploadStatus.COMPLETE
        session.add(upload)
    upload_path("bad").write_bytes(b"junk")
    assert ingest_dataset(dataset_id, fake_probe) == "kept"
    dataset = dataset_of(dataset_id)
    assert (dataset.status, dataset.clip_count) == (DatasetStatus.READY, 6)
    assert "is not a zip" in dataset.error
    assert len(labels(dataset_id)) == 6
    with session_scope() as session:
        assert session.exec(select(Upload)).all() == []
        assert all((c.path) for c in session.exec(select(Clip)).all())


def test_refusals(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(DAYS))
    with session_scope() as session, pytest.raises(Conflict, match="right now"):
        request_reinterpretation(session, ada, dataset_id, {})
    ingest_dataset(dataset_id, fake_probe)
    with session_scope() as session, pytest.raises(NotFound):
        request_reinterpretation(session, make_person("bob"), dataset_id, {})
    with session_scope() as session, pytest.raises(Invalid):
        request_reinterpretation(session, ada, dataset_id, {"layout": "x"})


def test_clips_that_say_nothing_are_labelled_by_hand(ada: Actor) -> None:
    """A folder of bare videos: refused with the way out, then taken as it is; its classes grow one by one."""
    dataset_id = uploaded_dataset(ada, clips(["1.mp4", "2.mp4", "3.mp4", "4.mp4"]))
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    assert again(ada, dataset_id, by_hand=True) == "ready"
    dataset, ids = dataset_of(dataset_id), [clip.id or 0 for clip in clips_of(dataset_id)]
    assert (dataset.status, dataset.clip_count, dataset.bad_count) == (DatasetStatus.READY, 0, 4)
    with session_scope() as session:
        assert [f.kind for f in examine(session, ada, dataset_id).findings] == ["unsaid"]
    for number, label in enumerate(("up", "up", "down")):
        with session_scope() as session:
            assert edit_clips(session, ada, dataset_id, [ids[number]], Change(label=label))
    with session_scope() as session:
        assert edit_clips(session, ada, dataset_id, ids[3:], Change(label="down"))
    dataset = dataset_of(dataset_id)
    assert (dataset.class_names, dataset.clip_count, dataset.bad_count) == (["down", "up"], 4, 0)
    with session_scope() as session:
        assert edit_clips(session, ada, dataset_id, ids[:1], Change(label="sideways"))
    assert dataset_of(dataset_id).class_names == ["down", "sideways", "up"]
    with session_scope() as session:
        assert [f.kind for f in examine(session, ada, dataset_id).findings if f.kind == "lone"] == ["lone"]


def test_clips_without_words_have_them_in_a_version_of_their_own(ada: Actor) -> None:
    table = b"which,says\n1.mp4,a cat\n2.mp4,a dog\n"
    dataset_id = uploaded_dataset(ada, clips(["1.mp4", "2.mp4"]) | {"notes.csv": table}, Task.CAPTIONING)
    assert ingest_dataset(dataset_id, fake_probe) == "error"
    assert again(ada, dataset_id, by_hand=True) == "ready"
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).version) == (0, 1)
    assert again(ada, dataset_id, layout="videofolder", columns={"file": "which", "caption": "says"}) == "ready"
    assert (dataset_of(dataset_id).clip_count, dataset_of(dataset_id).version) == (2, 2)
    with session_scope() as session:
        assert len(clips_at(session, dataset_id, 2)) == 2
        assert clips_at(session, dataset_id, 1) == []


def test_more_files_that_fail_leave_bare_clips_where_they_are(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, clips(["1.mp4", "2.mp4"]), Task.CAPTIONING)
    ingest_dataset(dataset_id, fake_probe)
    again(ada, dataset_id, by_hand=True)
    assert again(ada, dataset_id, layout="msrvtt") == "kept"
    assert dataset_of(dataset_id).status is DatasetStatus.READY
    assert all((get_settings().storage_dir / clip.path).is_file() for clip in clips_of(dataset_id))


def test_a_duplicate_is_known_by_its_kind_and_not_by_its_sentence(ada: Actor) -> None:
    """A copy has the file of the clip it equals: taken for a clip of its own, it would come in as a second one."""
    dataset_id = uploaded_dataset(ada, clips(DAYS) | {"dog/tuesday/copy.mp4": b"dog/tuesday/9.mp4"})
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    with session_scope() as session:
        copy = session.exec(select(Clip).where(Clip.name == "dog/tuesday/copy.mp4")).one()
        assert copy.path
        copy.problem = "Das gleiche Video ist schon da."
        session.add(copy)
    with session_scope() as session:
        assert set(reinterpret.clips_with_files(session, dataset_id)) == {(name, None) for name in DAYS}
