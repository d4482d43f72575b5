"""A class that is written in two ways is named by the doctor, and merged by one click, which can be undone."""

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.doctor import apply_action, examine
from orchestrator.services.datasets.curation.edits import undo_edit
from orchestrator.services.db import session_scope

CAFE, CAFE_DECOMPOSED = "caf\u00e9", "cafe\u0301"


def dataset_of(actor: Actor, *labels: str) -> int:
    with session_scope() as session:
        dataset = Dataset(owner_id=actor.user_id, name="d", task=Task.CLASSIFICATION, status=DatasetStatus.READY)
        session.add(dataset)
        session.flush()
        assert dataset.id
        facts = {"path": "x", "frames": 30, "duration_s": 3.0, "dataset_id": dataset.id}
        session.add_all([Clip(name=f"{n}.mp4", label=label, **facts) for n, label in enumerate(labels)])
        dataset.clip_count = len(labels)
        return dataset.id


def labels_of(dataset_id: int) -> list[str]:
    with session_scope() as session:
        return list(session.exec(select(Clip.label).where(Clip.dataset_id == dataset_id).order_by(Clip.name)))


@pytest.mark.parametrize(
    ("labels", "merged"),
    [
        (["Run", "run", "run", "sit", "sit"], ["run", "run", "run", "sit", "sit"]),
        (["run ", "run", "run", "sit", "sit"], ["run", "run", "run", "sit", "sit"]),
        (["riding_horse", "riding horse", "riding horse", "sit"], ["riding horse"] * 3 + ["sit"]),
        ([CAFE_DECOMPOSED, CAFE, CAFE, "sit"], [CAFE, CAFE, CAFE, "sit"]),
    ],
)
def test_the_rarer_spelling_is_merged_into_the_other(ada: Actor, labels: list[str], merged: list[str]) -> None:
    dataset_id = dataset_of(ada, *labels)
    with session_scope() as session:
        (found,) = (f for f in examine(session, ada, dataset_id).findings if f.kind == "variants")
        assert (found.title, len(found.clip_ids)) == ("1 class is written in two ways", 1)
        assert f"“{labels[0]}” (1) and “{labels[1]}”" in found.detail
        edit = apply_action(session, ada, dataset_id, "variants", "merge", (found.title, found.detail))
    assert labels_of(dataset_id) == merged
    with session_scope() as session:
        assert "No class is written in two ways" in examine(session, ada, dataset_id).passed
        assert edit
        undo_edit(session, ada, dataset_id, edit.id)
    assert labels_of(dataset_id) == labels


def test_different_classes_are_no_variants(ada: Actor) -> None:
    dataset_id = dataset_of(ada, "run", "runs", "sit", "sit down", "1", "10")
    with session_scope() as session:
        assert "variants" not in {finding.kind for finding in examine(session, ada, dataset_id).findings}
