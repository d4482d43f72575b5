"""Checks of a question: its records exist, are the user's, and fit each other."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.adapters import Adapter, AdapterLine, ResultKind
from orchestrator.domain.annotations import Annotations, Conversation, Turn
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset, DatasetStatus
from orchestrator.domain.errors import Invalid, NotFound
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.playground import ChatTurn, InferenceMessage, InferenceRequest
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import ModelType
from orchestrator.domain.users import Actor
from orchestrator.services.adapters.files import adapter_folder
from orchestrator.services.db import session_scope
from orchestrator.services.playground.choices import choices
from orchestrator.services.playground.openai_names import find_named_model
from orchestrator.services.playground.questions import CheckedRequest, check_request
from tests.studio import make_person


@pytest.fixture
def things(home: Path, ada: Actor) -> dict[str, int]:
    """Ada's own model and clip, a built-in retriever, a clip that cannot be read."""
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
        ids = {"dataset": dataset.id, "good": good.id, "bad": bad.id} | {k: m.id for k, m in models.items()}
        return {name: number or 0 for name, number in ids.items()}


def check(actor: Actor, **request: object) -> CheckedRequest:
    with session_scope() as session:
        return check_request(session, actor, InferenceRequest(**request))  # type: ignore[arg-type]


def test_the_records_of_a_question_are_found(ada: Actor, things: dict[str, int]) -> None:
    checked = check(ada, model_id=things["mine"], clip_id=things["good"])
    assert (checked.task, checked.clip and checked.clip.reference) == ("captioning", "A disc.")
    checked = check(ada, model_id=things["sorter"], clip_id=things["good"])
    assert (checked.task, checked.clip and checked.clip.reference) == ("classification", "x")
    checked = check(ada, model_id=things["retriever"], dataset_id=things["dataset"], query="a disc")
    assert (checked.task, checked.dataset_id, checked.clip) == ("retrieval", things["dataset"], None)


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
        parts = {"adapter_id": made.id, "clip_id": things["good"]}
    with pytest.raises(Invalid, match="mine holds other weights now than words v1 was trained on"):
        check(ada, **parts)
    (folder / "base").mkdir()
    (folder / "base" / "config.json").write_text("{}")
    checked = check(ada, **parts)
    assert (checked.model_path, checked.model_revision) == (folder / "base", "old")
    with session_scope() as session:
        session.get_one(VideoModel, things["mine"]).revision = "old"
    assert check(ada, **parts).model_path == home / "base"


@pytest.mark.parametrize(
    "parts",
    [
        {"model_id": "mine", "url": "https://example.org/a.mp4"},
        {"model_id": "retriever", "dataset_id": "dataset", "query": "disc"},
        {"adapter_id": "mine", "clip_id": "good"},
    ],
)
def test_records_of_another_user_are_not_found(things: dict[str, int], parts: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        check(make_person("bob"), **{name: things.get(value, value) for name, value in parts.items()})


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"clip_id": "good"}, "Choose a base model or an adapter"),
        ({"model_id": "mine"}, "Choose one clip"),
        ({"model_id": "mine", "clip_id": "good", "url": "https://example.org/a.mp4"}, "Choose one clip"),
        ({"model_id": "mine", "clip_id": "bad"}, "cannot be read: cut off"),
        ({"model_id": "mine", "url": "http://127.0.0.1/a.mp4"}, "private network"),
        ({"model_id": "mine", "url": "http://[::ffff:10.0.0.1]/a.mp4"}, "private network"),
        ({"model_id": "mine", "url": "file:///etc/passwd"}, "begins with https"),
        ({"model_id": "mine", "clip_id": "good", "max_tokens": 100_000}, "1 to 512 tokens"),
        ({"model_id": "mine", "clip_id": "good", "prompt": "x" * 5_000}, "4,000 characters"),
        ({"model_id": "mine", "clip_id": "good", "max_tokens": 0}, "1 to 512 tokens"),
        ({"model_id": "mine", "clip_id": "good", "system": "x" * 40_000}, "32,000 characters"),
        ({"model_id": "mine", "clip_id": "good", "earlier": (ChatTurn("user", "x" * 40_000),)}, "32,000 characters"),
        ({"model_id": "mine", "clip_id": "good", "stop": ("a",) * 5}, "at most 4 stop sequences"),
        ({"model_id": "mine", "clip_id": "good", "stop": ("",)}, "1 to 200 characters"),
        ({"model_id": "mine", "clip_id": "good", "temperature": 2.5}, "from 0 to 2"),
        ({"model_id": "mine", "clip_id": "good", "temperature": float("nan")}, "from 0 to 2"),
        ({"model_id": "mine", "clip_id": "good", "top_p": -0.1}, "from 0 to 1"),
        ({"model_id": "retriever", "dataset_id": "dataset"}, "Say in words"),
        ({"model_id": "retriever", "query": "disc", "clip_id": "good"}, "Choose the dataset"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_a_sentence(
    ada: Actor, things: dict[str, int], parts: dict[str, object], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        check(ada, **{name: things.get(str(value), value) for name, value in parts.items()})


def test_the_keys_of_a_message_stay_what_running_workers_read() -> None:
    request = json.loads(InferenceMessage("a", 3, InferenceRequest(max_tokens=9)).pack())["wish"]
    assert request == {"longest": 9}  # nor does one of an older version meet a key that it does not know


def test_a_message_is_read_as_it_was_packed_and_a_forged_one_is_refused() -> None:
    earlier = (ChatTurn("user", "what?", True), ChatTurn("assistant", "a disc"))
    request = InferenceRequest(model_id=1, prompt="and?", earlier=earlier, stop=("\n", "."), seed=0, compare=False)
    message = InferenceMessage("a", 3, request)
    assert InferenceMessage.unpack(message.pack()) == message
    for forged in (b"{}", b"[]", b'{"id": "a", "user_id": 1, "wish": {"path": "/etc"}}', b"x"):
        with pytest.raises((ValueError, TypeError, KeyError)):
            InferenceMessage.unpack(forged)


def test_what_is_right_is_the_answer_to_the_question(ada: Actor, things: dict[str, int]) -> None:
    turns = (Turn("What moves?", "a disc"), Turn("Which way?", "up", ("up", "down")))
    with session_scope() as session:
        clip = session.get_one(Clip, things["good"])
        clip.annotate(Annotations(conversations=tuple(Conversation((turn,)) for turn in turns)))
    asked = {"Which way?": "up", "Which way?\nA. up\nB. down": "up", "What moves?": "a disc", "Why?": "", "": ""}
    for prompt, reference in asked.items():
        checked = check(ada, model_id=things["mine"], clip_id=things["good"], prompt=prompt)
        assert checked.clip is not None
        assert checked.clip.reference == reference
    with session_scope() as session:
        session.get_one(Clip, things["good"]).annotate(Annotations(captions=("A disc.", "It moves.")))
    for prompt in ("", "Why?"):
        checked = check(ada, model_id=things["mine"], clip_id=things["good"], prompt=prompt)
        assert checked.clip is not None
        assert checked.clip.reference == "A disc."


def test_an_adapter_is_asked_what_it_was_trained_with(ada: Actor, home: Path, things: dict[str, int]) -> None:
    with session_scope() as session:
        line = AdapterLine(owner_id=ada.user_id, name="mine")
        session.add(line)
        session.flush()
        adapter = Adapter(
            owner_id=ada.user_id,
            line_id=line.id or 0,
            name="mine",
            version=1,
            kind=ResultKind.ADAPTER,
            task="captioning",
            source_job=7,
            dataset_name="d",
            model_id=things["mine"],
            model_name="mine",
            summary=RunSummary(question="What moves?", system="Be brief."),
        )
        session.add(adapter)
        session.flush()
        folder = adapter_folder(adapter)
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text("{}")
        model = session.get_one(VideoModel, things["mine"])
        model.family = "qwen2_vl"
        session.get_one(Clip, things["good"]).annotate(
            Annotations(conversations=(Conversation((Turn("What moves?", "a disc"),)),))
        )
        adapter_id = adapter.id
    checked = check(ada, adapter_id=adapter_id, clip_id=things["good"])
    assert checked.adapter is not None
    assert (checked.adapter.question, checked.adapter.system) == ("What moves?", "Be brief.")
    assert checked.clip is not None
    assert checked.clip.reference == "a disc"
    with session_scope() as session:
        assert find_named_model(session, ada, "mine-v1").default_question == "What moves?"
        assert [row.question for row in choices(session, ada).adapters] == ["What moves?"]
