"""A person's datasets: only theirs, named once, counted truly, deleted with their files."""

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus, Upload, UploadStatus
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.domain.users import Actor, Role
from orchestrator.services.datasets import catalog
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest.sources import add_dataset
from orchestrator.services.datasets.ingest.uploads import begin_upload, discard_uploads, request_ingest
from orchestrator.services.datasets.overview import dataset_extras, dataset_totals
from orchestrator.services.datasets.statistics import clip_statistics
from orchestrator.services.db import session_scope
from orchestrator.services.uploads import uploads
from orchestrator.services.uploads.part_file import upload_path

EVE = Actor(999, "eve", "eve@example.org", Role.MEMBER)


def make(actor: Actor, name: str = "gestures") -> int:
    with session_scope() as session:
        return catalog.create_dataset(session, actor, name, "Hands.").id


def fill(dataset_id: int) -> None:
    with session_scope() as session:
        dataset = session.get_one(Dataset, dataset_id)
        dataset.status, dataset.clip_count, dataset.size_bytes = DatasetStatus.READY, 5, 500
        session.add(dataset)
        for i, label in enumerate(["wave", "wave", "clap", "wave", "clap"]):
            path = f"datasets/{dataset_id}/{i}.mp4"
            clip = Clip(dataset_id=dataset_id, name=f"{i}.mp4", path=path, thumbnail_path="t.jpg", label=label)
            clip.duration_s = 1.0 + i
            clip.width, clip.height = (64, 48) if i else (128, 96)
            session.add(clip)
        session.add(Clip(dataset_id=dataset_id, name="bad.mp4", path="", status=ClipStatus.BAD, problem="Cut off."))


def add_job(actor: Actor, dataset_id: int, status: JobStatus) -> None:
    with session_scope() as session:
        job = TrainingJob(
            owner_id=actor.user_id,
            name="run",
            dataset_id=dataset_id,
            dataset_name="gestures",
            model_name="base",
            idempotency_key=f"{status}",
            status=status,
        )
        session.add(job)


def test_a_name_is_needed_and_used_once(ada: Actor) -> None:
    make(ada)
    with session_scope() as session, pytest.raises(Conflict) as taken:
        catalog.create_dataset(session, ada, " Gestures ")
    assert taken.value.field == "name"
    with session_scope() as session, pytest.raises(Invalid) as refused:
        catalog.create_dataset(session, ada, "  ", task="cooking")
    assert [field for field, _ in refused.value.problems] == ["name", "task"]
    for name, wrong in ((" ", ["name", "url"]), ("courts", ["url"])):
        with session_scope() as session, pytest.raises(Invalid) as refused:
            add_dataset(session, ada, name, "", "classification", {"type": "url", "url": "nonsense"})
        assert [field for field, _ in refused.value.problems] == wrong


def test_a_stranger_finds_nothing(ada: Actor) -> None:
    dataset_id = make(ada)
    with session_scope() as session:
        assert catalog.list_datasets(session, EVE).total == 0
        assert dataset_extras(session, EVE, [dataset_id]) == {}
        for visit in (catalog.get_dataset, catalog.delete_dataset, clip_statistics, request_ingest):
            with pytest.raises(NotFound):
                visit(session, EVE, dataset_id)


def test_lists_are_filtered_and_counted(ada: Actor) -> None:
    fill(make(ada))
    make(ada, "100% courts")
    with session_scope() as session:
        assert [row.name for row in catalog.list_datasets(session, ada, q="100%").items] == ["100% courts"]
        assert catalog.list_datasets(session, ada, status="ready,error").total == 1
        totals = dataset_totals(session, ada)
        assert (totals.datasets, totals.clips, totals.size_bytes) == (2, 5, 500)
        assert (totals.by_status["ready"], totals.by_status["draft"], totals.by_status["error"]) == (1, 1, 0)


def test_names_are_found_and_sorted_in_any_script(ada: Actor) -> None:
    for name in ("Zebras", "apples", "ÄPFEL"):
        make(ada, name)
    with session_scope() as session:
        found = [catalog.list_datasets(session, ada, q=q).total for q in ("ÄPFEL", "äpfel", "ÄP", "zeb")]
        assert found == [1, 1, 1, 1]
        assert [row.name for row in catalog.list_datasets(session, ada, sort="name").items][:2] == ["apples", "Zebras"]
        with pytest.raises(Conflict):
            catalog.create_dataset(session, ada, "äpfel")
        first = catalog.list_datasets(session, ada, sort="name", limit=1)
        rest = catalog.list_datasets(session, ada, sort="name", cursor=first.next)
        assert [row.name for row in rest.items] == ["Zebras", "ÄPFEL"]


def test_the_strip_shows_each_class_first(ada: Actor) -> None:
    dataset_id = make(ada)
    fill(dataset_id)
    add_job(ada, dataset_id, JobStatus.COMPLETED)
    with session_scope() as session:
        extras = dataset_extras(session, ada, [dataset_id])[dataset_id]
        labels = [session.get_one(Clip, clip_id).label for clip_id in extras.clip_ids]
        assert labels[:2] == ["clap", "wave"]
        assert len(labels) == 4
        assert (extras.job_count, extras.active_count) == (1, 0)
        for clip in session.exec(select(Clip).where(Clip.dataset_id == dataset_id)):
            clip.status = ClipStatus.QUARANTINED if clip.status is ClipStatus.OK else clip.status
        session.flush()
        strip = dataset_extras(session, ada, [dataset_id])[dataset_id].clip_ids
        assert strip == extras.clip_ids, "all wait for their labels"


def test_footage_counts_good_clips_only(ada: Actor) -> None:
    dataset_id = make(ada)
    fill(dataset_id)
    with session_scope() as session:
        film = clip_statistics(session, ada, dataset_id)
    assert film.classes == [("wave", 3), ("clap", 2)]
    assert (film.total_s, film.median_s, film.longest_s) == (15.0, 3.0, 5.0)
    assert sum(part.clips for part in film.lengths) == 5
    assert film.frame_sizes == [(64, 48, 4), (128, 96, 1)]


def test_deleting_takes_the_files_along_but_not_from_a_running_job(ada: Actor) -> None:
    dataset_id = make(ada)
    with session_scope() as session:
        row = begin_upload(session, ada, dataset_id, "a/b.mp4", 3)
    dataset_folder(dataset_id).mkdir(parents=True)
    add_job(ada, dataset_id, JobStatus.RUNNING)
    with session_scope() as session, pytest.raises(Conflict, match="Stop it first"):
        catalog.delete_dataset(session, ada, dataset_id)
    with session_scope() as session:
        for job in session.exec(select(TrainingJob)):
            job.status = JobStatus.COMPLETED
            session.add(job)
    with session_scope() as session:
        catalog.delete_dataset(session, ada, dataset_id)
    assert not dataset_folder(dataset_id).exists()
    assert not upload_path(row.id).exists()
    with session_scope() as session:
        assert session.exec(select(Upload)).all() == []
        assert session.exec(select(TrainingJob)).one().dataset_id is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/clip.mp4", "abs/clip.mp4"),
        ("C:\\films\\a.mp4", "films/a.mp4"),
        ("wave/a b.mp4", "wave/a b.mp4"),
    ],
)
def test_names_never_lead_out(given: str, kept: str) -> None:
    assert uploads.clean_name(given) == kept


def test_uploads_are_imported_when_all_are_complete(ada: Actor) -> None:
    dataset_id = make(ada)
    with session_scope() as session, pytest.raises(Conflict, match="No files"):
        request_ingest(session, ada, dataset_id)
    with session_scope() as session:
        row = begin_upload(session, ada, dataset_id, "a/b.mp4", 3)
    with session_scope() as session, pytest.raises(Conflict, match="on their way"):
        request_ingest(session, ada, dataset_id)
    upload_path(row.id).write_bytes(b"abc")
    with session_scope() as session:
        assert uploads.complete_upload(session, ada, row.id).complete
        assert session.get_one(Upload, row.id).status is UploadStatus.COMPLETE
        assert request_ingest(session, ada, dataset_id).status == "processing"
    with session_scope() as session, pytest.raises(Conflict, match="being imported"):
        begin_upload(session, ada, dataset_id, "more.mp4", 3)


def test_an_upload_can_be_called_off(ada: Actor) -> None:
    dataset_id = make(ada)
    with session_scope() as session:
        row = begin_upload(session, ada, dataset_id, "a/b.mp4", 3)
        with pytest.raises(Invalid, match="is empty"):
            begin_upload(session, ada, dataset_id, "a/none.mp4", 0)
    with session_scope() as session, pytest.raises(NotFound):
        uploads.find_upload(session, EVE, row.id)
    with session_scope() as session:
        assert discard_uploads(session, ada, dataset_id) == 1
    assert not upload_path(row.id).exists()
