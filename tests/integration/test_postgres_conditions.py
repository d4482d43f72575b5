"""Labels and texts are found and counted alike by SQLite and PostgreSQL, whatever characters they have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.annotations import Annotations, Conversation, Turn
from orchestrator.domain.datasets import Clip
from orchestrator.domain.tasks import Task
from orchestrator.services import db
from orchestrator.services.datasets.catalog import list_clips
from orchestrator.services.datasets.curation.annotation_edits import add_label, remove_label
from orchestrator.services.datasets.statistics import clip_statistics
from orchestrator.services.training.annotation_counts import count_annotations
from orchestrator.services.training.split_counts import count_split
from tests.studio import forget_caches, make_person
from tests.unit.services.datasets.curation.test_edits import make

LABELS = ("riding horse", 'a "quoted" one', "50 %", "under_score", "back\\slash", "Grün", "日本", "a, b")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "postgresql":
        monkeypatch.setenv("LOREEL_DATABASE_URL", request.getfixturevalue("postgres_url"))
        forget_caches()
        db.run_migrations()
    yield
    if request.param == "postgresql":
        db.engine().dispose()


@pytest.mark.usefixtures("database")
def test_a_label_is_found_alone_and_among_several() -> None:
    ada = make_person("ada")
    dataset_id, ids = make(ada, [{"label": label} for label in LABELS])
    with db.session_scope() as session:
        for label in LABELS:
            assert [row.id for row in list_clips(session, ada, dataset_id, label=label).items] == [
                ids[LABELS.index(label)]
            ]
        add_label(session, ada, dataset_id, ids[:2], "50 %")
        found = list_clips(session, ada, dataset_id, label="50 %").items
        assert {row.id for row in found} == {*ids[:2], ids[2]}
        assert list_clips(session, ada, dataset_id, label="50").items == []
        assert list_clips(session, ada, dataset_id, label="riding horse, 50 %").items == []  # the short form of two
        assert dict(clip_statistics(session, ada, dataset_id).classes)["50 %"] == 3
        assert count_annotations(session, dataset_id) == {"labels": 10, "captions": 0, "questions": 0}
        split = count_split(session, dataset_id, 0.5)
        assert (split.train + split.validation, split.classes, split.has_several_labels) == (8, 8, True)
        remove_label(session, ada, dataset_id, ids[:2], "50 %")
        assert not count_split(session, dataset_id, 0.5).has_several_labels
        assert count_split(session, dataset_id, 0.5, version=2).has_several_labels


@pytest.mark.usefixtures("database")
def test_texts_of_all_kinds_are_found() -> None:
    ada = make_person("ada")
    dataset_id, ids = make(ada, [{"caption": "One cat."}, {"caption": "short"}], Task.CAPTIONING)
    talk = Conversation((Turn("What?", "A dog.", ("A dog.", "50 % of it")),), 'Say "it".')
    with db.session_scope() as session:
        rich = session.get_one(Clip, ids[1])
        rich.annotate(Annotations((), ("first\nline", "back\\slash_and GRÜN"), (talk,)))
        session.flush()
        found = {
            q: [row.id for row in list_clips(session, ada, dataset_id, q=q).items]
            for q in ("ONE", "LINE", "first\nline", "slash_and", "back\\slash", "dog.", "50 %", '"it"', "what?")
        }
        assert found == {"ONE": ids[:1], **{q: ids[1:] for q in found if q != "ONE"}}
        for absent in ("captions", "turns", "question", "[", "slashxand", "50 x", "\\n"):
            assert list_clips(session, ada, dataset_id, q=absent).items == [], absent
        assert count_annotations(session, dataset_id) == {"labels": 0, "captions": 3, "questions": 1}
