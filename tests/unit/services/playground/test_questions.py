"""Who may ask what: every part of a question is the asker's own, and the parts fit each other."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.adapters import Adapter, AdapterLine, ResultKind
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.playground import Letter, Wish
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.playground.questions import Asked, check_wish
from tests.studio import make_person


@pytest.fixture
def things(home: Path, ada: Actor) -> dict[str, int]:
    """Ada's own model and clip, a retriever for everybody, a clip that cannot be read."""
    (home / "base").mkdir()
    (home / "storage").mkdir()
    (home / "storage" / "a.mp4").write_bytes(b"-")
    with session_scope() as session:
        dataset = Dataset(owner_id=ada.user_id, name="d", status=DatasetStatus.READY, clip_count=2)
        kinds = {"mine": ModelType.CAPTIONING, "retriever": ModelType.RETRIEVAL, "sorter": ModelType.CLASSIFICATION}
        models = {
            name: VideoModel(
                owner_id=ada.user_id if name == "mine" else None,
                name=name,
                model_type=kind,
                architecture="Custom",
                source=ModelSource.PATH,
                status=ModelStatus.READY,
                path=str(home / "base"),
            )
            for name, kind in kinds.items()
        }
        session.add_all([dataset, *models.values()])
        session.flush()
        good = Clip(
            dataset_id=dataset.id or 0, name="a.mp4", path="a.mp4", content_hash="h", label="x", caption="A disc."
        )
        bad = Clip(dataset_id=dataset.id or 0, name="b.mp4", path="b.mp4", status=ClipStatus.BAD, problem="cut off.")
        session.add_all([good, bad])
        session.flush()
        found = {"dataset": dataset.id, "good": good.id, "bad": bad.id} | {k: m.id for k, m in models.items()}
        return {name: number or 0 for name, number in found.items()}


def check(actor: Actor, **wish: object) -> Asked:
    with session_scope() as session:
        return check_wish(session, actor, Wish(**wish))  # type: ignore[arg-type]


def test_what_is_asked_is_found(ada: Actor, things: dict[str, int]) -> None:
    asked = check(ada, model_id=things["mine"], clip_id=things["good"])
    assert (asked.task, asked.clip and asked.clip.reference) == ("captioning", "A disc.")
    asked = check(ada, model_id=things["sorter"], clip_id=things["good"])
    assert (asked.task, asked.clip and asked.clip.reference) == ("classification", "x")
    asked = check(ada, model_id=things["retriever"], dataset_id=things["dataset"], query="a disc")
    assert (asked.task, asked.dataset_id, asked.clip) == ("retrieval", things["dataset"], None)


def test_an_adapter_answers_on_the_weights_that_it_knows(home: Path, ada: Actor, things: dict[str, int]) -> None:
    folder = home / "jobs" / "7" / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    names: dict[str, Any] = {"name": "words", "dataset_name": "d", "model_name": "mine", "task": "captioning"}
    with session_scope() as session:
        session.get_one(VideoModel, things["mine"]).revision = "new"
        line = AdapterLine(owner_id=ada.user_id, name="words", last_version=1)
        session.add(line)
        session.flush()
        made = Adapter(
            owner_id=ada.user_id,
            line_id=line.id or 0,
            version=1,
            kind=ResultKind.ADAPTER,
            source_job=7,
            model_id=things["mine"],
            model_revision="old",
            **names,
        )
        session.add(made)
        session.flush()
        wish = {"adapter_id": made.id, "clip_id": things["good"]}
    with pytest.raises(Invalid, match="mine holds other weights now than words v1 was trained on"):
        check(ada, **wish)
    (folder / "base").mkdir()
    (folder / "base" / "config.json").write_text("{}")
    asked = check(ada, **wish)
    assert (asked.model_path, asked.model_revision) == (folder / "base", "old")
    with session_scope() as session:
        session.get_one(VideoModel, things["mine"]).revision = "old"
    assert check(ada, **wish).model_path == home / "base"


@pytest.mark.parametrize(
    "wish",
    [
        {"model_id": "mine", "url": "https://example.org/a.mp4"},
        {"model_id": "retriever", "dataset_id": "dataset", "query": "disc"},
        {"adapter_id": "mine", "clip_id": "good"},
    ],
)
def test_a_stranger_finds_nothing(things: dict[str, int], wish: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        check(make_person("bob"), **{name: things.get(value, value) for name, value in wish.items()})


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"clip_id": "good"}, "Choose a base model or an adapter"),
        ({"model_id": "mine"}, "Choose one clip"),
        ({"model_id": "mine", "clip_id": "good", "url": "https://example.org/a.mp4"}, "Choose one clip"),
        ({"model_id": "mine", "clip_id": "bad"}, "cannot be read: cut off"),
        ({"model_id": "mine", "url": "http://127.0.0.1/a.mp4"}, "private network"),
        ({"model_id": "mine", "url": "http://[::ffff:10.0.0.1]/a.mp4"}, "private network"),
        ({"model_id": "mine", "url": "file:///etc/passwd"}, "begins with https"),
        ({"model_id": "mine", "clip_id": "good", "longest": 100_000}, "1 to 512 tokens"),
        ({"model_id": "mine", "clip_id": "good", "prompt": "x" * 5_000}, "4,000 characters"),
        ({"model_id": "retriever", "dataset_id": "dataset"}, "Say in words"),
        ({"model_id": "retriever", "query": "disc", "clip_id": "good"}, "Choose the dataset"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(
    ada: Actor, things: dict[str, int], wish: dict[str, object], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        check(ada, **{name: things.get(str(value), value) for name, value in wish.items()})


def test_a_letter_survives_its_way_and_a_forged_one_is_noticed() -> None:
    letter = Letter("a", 3, Wish(model_id=1, prompt="what?"))
    assert Letter.unpack(letter.pack()) == letter
    for forged in (b"{}", b"[]", b'{"id": "a", "user_id": 1, "wish": {"path": "/etc"}}', b"x"):
        with pytest.raises((ValueError, TypeError, KeyError)):
            Letter.unpack(forged)
