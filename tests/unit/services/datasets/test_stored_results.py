"""Results about large datasets are computed by the prep worker, read by the web, and never those of another state."""

import pytest
from sqlmodel import col, select

from jobs.datasets.ingest import prepare_results
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.users import Actor
from orchestrator.services.datasets import statistics, stored_results
from orchestrator.services.datasets.curation import doctor
from orchestrator.services.datasets.curation.edits import Change, edit_clips
from orchestrator.services.datasets.curation.examined_clips import ExaminedClip, examined_clips
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.rows import dataset_row
from orchestrator.services.db import session_scope
from tests.fakes.uploads import uploaded_dataset
from tests.unit.services.datasets.ingest.test_pipeline import clips, fake_probe

FILES = clips([f"{label}/{i}.mp4" for label in ("cat", "dog") for i in range(4)])


@pytest.fixture
def dataset_id(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> int:
    """A dataset that counts as large."""
    monkeypatch.setattr(stored_results, "STORED_FROM", 8)
    doctor._REPORTS.clear()
    dataset_id = uploaded_dataset(ada, FILES)
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    return dataset_id


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    def computed(*_: object) -> None:
        raise AssertionError("It is computed in the web.")

    monkeypatch.setattr(doctor, "_examine", computed)
    monkeypatch.setattr(statistics, "_statistics", computed)


def asked(actor: Actor, dataset_id: int) -> tuple[statistics.ClipStatistics, doctor.Report]:
    with session_scope() as session:
        return statistics.clip_statistics(session, actor, dataset_id), doctor.examine(session, actor, dataset_id)


def test_the_web_reads_what_the_worker_has_computed(
    ada: Actor, dataset_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_scope() as session:
        row = dataset_row(session.get_one(Dataset, dataset_id))
        computed = statistics._statistics(session, row), doctor._examine(session, dataset_id, row.task, frozenset())
    prepare_results(dataset_id)
    forbid(monkeypatch)
    assert asked(ada, dataset_id) == computed
    assert computed[0].classes == [("cat", 4), ("dog", 4)]


def test_an_edit_makes_them_those_of_a_former_state(ada: Actor, dataset_id: int) -> None:
    prepare_results(dataset_id)
    with session_scope() as session:
        first = session.exec(select(Clip.id).where(Clip.dataset_id == dataset_id).order_by(col(Clip.id))).first()
    with session_scope() as session:
        edit_clips(session, ada, dataset_id, [first or 0], Change(label="dog"), "One more dog")
    figures, _ = asked(ada, dataset_id)
    assert figures.classes == [("dog", 5), ("cat", 3)]
    kept = sorted(path.name.partition("-")[0] for path in (dataset_folder(dataset_id) / "results").iterdir())
    assert kept == ["report", "statistics"]  # those of the former state are gone


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"\xff"])
def test_a_damaged_file_is_computed_again(ada: Actor, dataset_id: int, content: bytes) -> None:
    prepare_results(dataset_id)
    before = asked(ada, dataset_id)
    doctor._REPORTS.clear()
    for path in (dataset_folder(dataset_id) / "results").iterdir():
        path.write_bytes(content)
    assert asked(ada, dataset_id) == before


def test_small_datasets_keep_nothing(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, FILES)
    assert ingest_dataset(dataset_id, fake_probe) == "ready"
    prepare_results(dataset_id)
    asked(ada, dataset_id)
    assert not (dataset_folder(dataset_id) / "results").exists()


def test_examined_clips_have_the_values_of_the_stored_ones(dataset_id: int) -> None:
    with session_scope() as session:
        stored = session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(col(Clip.id))).all()
        examined = examined_clips(session, dataset_id)
        for clip, light in zip(stored, examined, strict=True):
            values = {name: getattr(light, name) for name in ExaminedClip.__slots__}
            assert values == {name: getattr(clip, name) for name in ExaminedClip.__slots__}
            assert {name: type(value) for name, value in values.items()} == {
                name: type(getattr(clip, name)) for name in ExaminedClip.__slots__
            }
            assert (light.annotated, light.span) == (clip.annotated, clip.span)
