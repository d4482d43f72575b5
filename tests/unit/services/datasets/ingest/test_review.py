"""What was understood of new files waits: accepted it is read, corrected it waits again, stopped it goes."""

from datetime import timedelta

import pytest
from sqlmodel import select

from jobs.controller.housekeeping import delete_abandoned_uploads
from orchestrator.domain.base import utcnow
from orchestrator.domain.datasets import DETECTING_LAYOUT, REVIEW, Dataset, DatasetStatus, Upload
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest import open_archives, reinterpret, review, uploads
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.ingest.review import accept_layout
from orchestrator.services.datasets.ingest.sources import add_dataset, cancel_import
from orchestrator.services.datasets.ingest.uploads import request_ingest
from orchestrator.services.db import session_scope
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.uploads.uploads import complete_upload
from orchestrator.settings import get_settings
from tests.fakes.uploads import uploaded_dataset, zipped
from tests.studio import make_person
from tests.unit.services.datasets.ingest.test_pipeline import clips, clips_of, dataset_of, fake_probe

DAYS = [f"{label}/monday/{i}.mp4" for label in ("cat", "dog") for i in range(2)]


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reinterpret, review, uploads):
        monkeypatch.setattr(module, "enqueue", lambda *_, **__: None)


def never(*_: object) -> None:
    raise AssertionError("No clip is opened before the layout is accepted.")


def understood(actor: Actor, files: dict[str, bytes], task: Task = Task.CLASSIFICATION) -> int:
    """A dataset whose new files wait in `review`."""
    dataset_id = uploaded_dataset(actor, files, task)
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).status = DatasetStatus.DRAFT
    with session_scope() as session:
        assert request_ingest(session, actor, dataset_id, review=True).stage == DETECTING_LAYOUT
    assert ingest_dataset(dataset_id, never) == REVIEW  # type: ignore[arg-type]
    return dataset_id


def accept(actor: Actor, dataset_id: int) -> str:
    with session_scope() as session:
        accept_layout(session, actor, dataset_id)
    return ingest_dataset(dataset_id, fake_probe)


@pytest.fixture
def waiting(ada: Actor) -> int:
    """Two classes by the nearer folder, which is the wrong one."""
    return understood(ada, clips([*DAYS, "cat/tuesday/8.mp4", "loose.mp4"]) | {"notes.pdf": b"%PDF"})


def test_what_would_come_is_shown_and_no_clip_is_opened(waiting: int) -> None:
    dataset = dataset_of(waiting)
    assert (dataset.status, dataset.stage, dataset.clip_count) == (DatasetStatus.PROCESSING, REVIEW, 0)
    said = dataset.layout["preview"]
    assert (said["clips"], said["classes"], said["class_count"]) == (5, {"monday": 4, "tuesday": 1}, 2)
    assert (said["left_out"], said["splits"]) == (1, {"auto": 5})
    assert [group["names"] for group in dataset.layout["not_used"]] == [["notes.pdf"]]
    assert "loose.mp4 is in no folder" in " ".join(said["why"])
    assert clips_of(waiting) == []
    # A letter that comes twice reads nothing.
    assert ingest_dataset(waiting, never) == "nothing to do"  # type: ignore[arg-type]


def test_accepted_it_is_read_as_shown(ada: Actor, waiting: int) -> None:
    with session_scope() as session:
        request_reinterpretation(session, ada, waiting, {"layout": "folders", "level": 2})
    assert dataset_of(waiting).stage == DETECTING_LAYOUT
    assert ingest_dataset(waiting, never) == REVIEW  # type: ignore[arg-type]
    assert dataset_of(waiting).layout["preview"]["classes"] == {"cat": 3, "dog": 2}
    assert accept(ada, waiting) == "ready"
    dataset = dataset_of(waiting)
    assert (dataset.class_names, dataset.version, dataset.stage) == (["cat", "dog"], 1, "")
    assert "preview" not in dataset.layout
    with session_scope() as session:
        assert session.exec(select(Upload)).all() == []
        with pytest.raises(Conflict, match="nothing to accept"):
            accept_layout(session, ada, waiting)


def test_a_correction_that_cannot_be_followed_loses_nothing(ada: Actor, waiting: int) -> None:
    with session_scope() as session:
        request_reinterpretation(session, ada, waiting, {"layout": "msrvtt"})
    assert ingest_dataset(waiting, never) == REVIEW  # type: ignore[arg-type]
    dataset = dataset_of(waiting)
    assert "cannot be read as: MSR-VTT" in dataset.error
    assert dataset.layout["preview"]["clips"] == 5
    with session_scope() as session:
        assert all(upload_path(upload.id).exists() for upload in session.exec(select(Upload)))


def test_an_archive_is_unpacked_once(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[str] = []
    real = open_archives.unpack
    monkeypatch.setattr(open_archives, "unpack", lambda *given: unpacked.append(given[3]) or real(*given))
    dataset_id = understood(ada, {"all.zip": zipped(clips(DAYS))})
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"layout": "folders", "level": 2})
    assert ingest_dataset(dataset_id, never) == REVIEW  # type: ignore[arg-type]
    assert accept(ada, dataset_id) == "ready"
    assert (unpacked, len(clips_of(dataset_id))) == (["all.zip"], 4)
    assert not list(dataset_folder(dataset_id).glob("unpacked-*"))


def test_a_worker_that_dies_after_the_acceptance_costs_another_unpacking(ada: Actor) -> None:
    dataset_id = understood(ada, {"all.zip": zipped(clips(DAYS))})
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"layout": "folders", "level": 2})
    ingest_dataset(dataset_id, never)  # type: ignore[arg-type]
    with session_scope() as session:
        accept_layout(session, ada, dataset_id)
    assert ingest_dataset(dataset_id, fake_probe, should_continue=lambda: False) == "left to another worker"
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    assert len(clips_of(dataset_id)) == 4


def test_stopped_it_leaves_nothing(ada: Actor, waiting: int) -> None:
    with session_scope() as session:
        row = cancel_import(session, ada, waiting)
    assert (row.status, row.stage, row.layout) == ("draft", "", {})
    assert not list(dataset_folder(waiting).iterdir())
    assert not list((get_settings().data_dir / "uploads").iterdir())


def test_a_ready_dataset_keeps_what_it_has(ada: Actor) -> None:
    """More files wait; called off, the dataset is as it was, and says how it was read before."""
    dataset_id = uploaded_dataset(ada, clips([f"{label}/{i}.mp4" for label in ("cat", "dog") for i in range(2)]))
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    before = dataset_of(dataset_id).layout
    with session_scope() as session:
        upload = uploads.begin_upload(session, ada, dataset_id, "owl/7.mp4", 9)
    upload_path(upload.id).write_bytes(b"owl/7.mp4")
    with session_scope() as session:
        complete_upload(session, ada, upload.id)
        request_ingest(session, ada, dataset_id, review=True)
    assert ingest_dataset(dataset_id, never) == REVIEW  # type: ignore[arg-type]
    assert dataset_of(dataset_id).layout["preview"]["classes"] == {"owl": 1}
    with session_scope() as session, pytest.raises(Conflict, match="Accept or stop"):
        uploads.begin_upload(session, ada, dataset_id, "owl/8.mp4", 9)
    with session_scope() as session:
        cancel_import(session, ada, dataset_id)
    dataset = dataset_of(dataset_id)
    assert (dataset.status, dataset.clip_count, dataset.layout) == (DatasetStatus.READY, 4, before)


def test_a_source_may_ask_for_it(ada: Actor) -> None:
    with session_scope() as session:
        row = add_dataset(session, ada, "later", "", "captioning", {"type": "upload", "review": True})
        assert row.source == {"type": "upload", "review": True}


def test_nobody_else_accepts(waiting: int, home: object) -> None:
    eve = make_person("eve")
    with session_scope() as session, pytest.raises(NotFound):
        accept_layout(session, eve, waiting)


def test_it_waits_a_week_and_not_for_ever(waiting: int) -> None:
    with session_scope() as session:
        for upload in session.exec(select(Upload)):
            upload.created_at = utcnow() - timedelta(days=3)
    delete_abandoned_uploads()
    assert dataset_of(waiting).stage == REVIEW
    with session_scope() as session:
        assert len(session.exec(select(Upload)).all()) == 7
        session.get_one(Dataset, waiting).updated_at = utcnow() - timedelta(days=8)
    delete_abandoned_uploads()
    dataset = dataset_of(waiting)
    assert (dataset.status, dataset.stage) == (DatasetStatus.ERROR, "")
    assert "not accepted within a week" in dataset.error
    delete_abandoned_uploads()
    with session_scope() as session:
        assert session.exec(select(Upload)).all() == []
