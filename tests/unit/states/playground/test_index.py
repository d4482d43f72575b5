"""The playground in one tab: an address opens exactly what it names, and an answer stays with its question."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from reflex.state import BaseState
from sqlmodel import select

from orchestrator.domain.adapters import Adapter
from orchestrator.domain.annotations import CAPTION_QUESTION
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.models import ModelSource, ModelStatus, VideoModel
from orchestrator.domain.playground import InferenceRequest
from orchestrator.domain.redis_keys import PLAYGROUND_OWNER
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.services.adapters.recording import record_adapter
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.auth.sessions import COOKIE_NAME
from orchestrator.services.db import session_scope
from orchestrator.services.models.builtin import FOLDER, ensure_builtin
from orchestrator.services.playground import queue
from orchestrator.states.playground.index import PlaygroundState
from orchestrator.websocket.namespace import GuardedNamespace
from tests.api_client import sign_in
from tests.tabs import state_in, tab


class Studio:
    """A user with an adapter of the tiny captioner and a dataset of two clips."""

    def __init__(self, home: Any) -> None:
        forget_clients()
        client = sign_in("ada")
        self.cookie, owner = client.cookies[COOKIE_NAME], int(client.get("/api/v1/me").json()["id"])
        with session_scope() as session:
            ensure_builtin(session)
            dataset = Dataset(owner_id=owner, name="d", task=Task.CAPTIONING, status=DatasetStatus.READY, clip_count=2)
            asking = VideoModel(
                owner_id=owner,
                name="asking",
                model_type=ModelType.CAPTIONING,
                architecture="Qwen2-VL",
                family="qwen2_vl",
                source=ModelSource.PATH,
                status=ModelStatus.READY,
                path=str(FOLDER),
            )
            session.add_all([dataset, asking])
            session.flush()
            clips = [Clip(dataset_id=dataset.id or 0, name=f"{i}.mp4", path="x", caption="c") for i in range(2)]
            session.add_all(clips)
            session.flush()
            self.clips, self.dataset, self.asking = [clip.id for clip in clips], dataset.id, asking.id
            found = session.exec(select(VideoModel.source_ref, VideoModel.id)).all()
            self.bases = {name: model_id or 0 for name, model_id in found}
            base = session.get_one(VideoModel, self.bases["captioner-tiny"])
            names: dict[str, Any] = {"name": "words", "dataset_name": "d", "model_name": base.name}
            job = TrainingJob(
                owner_id=owner, model_id=base.id, status=JobStatus.COMPLETED, idempotency_key="k", **names
            )
            session.add(job)
            session.flush()
            self.job = job.id or 0
            folder = home / "jobs" / str(self.job) / "adapter"
            folder.mkdir(parents=True)
            (folder / "adapter_config.json").write_text("{}")
            made = record_adapter(session, self.job)
            assert made is not None
            self.adapter = made.id or 0

    def open(self, query: str) -> tuple[Any, str]:
        """The page at this address, and the event that follows."""
        state = state_in(tab(self.cookie, f"/playground?{query}"), PlaygroundState)
        return state, press(state, "load")


def press(state: Any, name: str, *given: object) -> str:
    return str(asyncio.run(state.event_handlers[name].fn(state, *given)))


@pytest.fixture
def studio(home: Any, redis_server: object) -> Studio:
    return Studio(home)


def test_an_address_opens_what_it_names_or_says_why_it_cannot(studio: Studio) -> None:
    clip = f"clip={studio.clips[0]}"
    state, then = studio.open(f"adapter={studio.adapter}&{clip}")
    assert (state.adapter_id, state.answer_problem) == (str(studio.adapter), "")
    assert "run" in then
    with session_scope() as session:
        session.get_one(VideoModel, studio.asking).status = ModelStatus.PROCESSING
    lost = {
        "adapter=999": "There is no such adapter",
        "adapter=x": "There is no such adapter",
        "model=999": "There is no such model",
        f"model={studio.asking}": "asking is not ready or was deleted",
        "job=999": "This job has no adapter",
    }
    for query, sentence in lost.items():
        state, then = studio.open(f"{query}&{clip}")
        assert sentence in state.answer_problem
        assert (then, state.adapter_id) == ("None", "none")
        assert state.scene is not None  # the clip is shown, but no other model answers instead of the named one
    assert studio.open(f"job={studio.job}&{clip}")[0].adapter_id == str(studio.adapter)

    retriever = studio.bases["retriever-tiny"]
    state, _ = studio.open(f"model={retriever}&dataset=999&query=disc")
    assert "There is no such dataset" in state.answer_problem
    with session_scope() as session:
        session.delete(session.get_one(VideoModel, studio.bases["captioner-tiny"]))
    state, then = studio.open(f"adapter={studio.adapter}&{clip}")
    assert "The base of words v1 is not ready or was deleted" in state.answer_problem
    assert then == "None"


def test_an_adapter_shows_the_question_that_it_was_trained_with(studio: Studio) -> None:
    assert studio.open(f"adapter={studio.adapter}")[0].usual_question == CAPTION_QUESTION
    with session_scope() as session:
        session.get_one(Adapter, studio.adapter).summary = RunSummary(question="What moves?")
    assert studio.open(f"adapter={studio.adapter}")[0].usual_question == "What moves?"
    assert studio.open(f"model={studio.asking}")[0].usual_question == CAPTION_QUESTION


def test_an_answer_stays_with_its_question(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    async def enter(self: Any) -> Any:
        return self

    async def leave(*_: object) -> None: ...

    monkeypatch.setattr(BaseState, "__aenter__", enter)
    monkeypatch.setattr(BaseState, "__aexit__", leave)
    state, _ = studio.open(f"model={studio.asking}&clip={studio.clips[0]}&prompt=What+moves%3F")
    assert (state.prompt, state.takes_question) == ("What moves?", True)
    meanwhile: list[tuple[str, object]] = []

    async def answers(_user: int, wish: InferenceRequest) -> AsyncIterator[dict[str, Any]]:
        for name, given in meanwhile:
            await state.event_handlers[name].fn(state, given)
        texts = [{"who": "base", "text": f"{wish.prompt} a disc", "ms": 1}]
        yield {"done": {"answers": texts, "task": "captioning", "frames": 8, "size": [4, 4]}}

    monkeypatch.setattr(queue, "ask", answers)
    monkeypatch.setattr("orchestrator.states.playground.index.check_request", lambda *_: None)
    press(state, "run")
    assert [panel.text for panel in state.panels] == ["What moves? a disc"]
    assert "prompt=What+moves%3F" in press(state, "ask")

    press(state, "type_prompt", "What colour?")
    meanwhile.append(("type_prompt", "Which sh"))
    press(state, "run")
    assert [past.answer for past in state.past] == ["What colour? a disc", "What moves? a disc"]
    press(state, "show_past", state.past[0].number)
    assert state.prompt == "What colour?"
    # An earlier answer that is opened while the model answers stays on screen when the new answer arrives.
    meanwhile[:] = [("show_past", state.past[1].number)]
    press(state, "run")
    assert (state.busy, state.prompt, state.panels[0].text) == (False, "What moves?", "What moves? a disc")
    assert len(state.past) == 2


def test_a_tab_closed_during_an_answer_frees_its_slot(
    studio: Studio, redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enter(self: Any) -> Any:
        return self

    async def leave(*_: object) -> None: ...

    monkeypatch.setattr(BaseState, "__aenter__", enter)
    monkeypatch.setattr(BaseState, "__aexit__", leave)
    monkeypatch.setattr("orchestrator.states.playground.index.check_request", lambda *_: None)
    state, _ = studio.open(f"model={studio.asking}&clip={studio.clips[0]}")
    client: Any = redis_server.client()
    client.set(PLAYGROUND_OWNER, "worker")
    namespace = GuardedNamespace("/_event", SimpleNamespace(_event_processor=None))

    async def close_tab() -> None:
        await namespace._token_manager.link_token_to_sid(state.router.session.client_token, "sid")
        asking = asyncio.create_task(state.event_handlers["run"].fn(state))
        while not client.keys("loreel:playground:open-questions:*"):
            await asyncio.sleep(0.02)
        await namespace.on_disconnect("sid")
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asking, 20.0)  # far less than the wait for an answer

    for _ in range(9):
        asyncio.run(close_tab())
        assert not client.keys("loreel:playground:open-questions:*")
        assert (state.busy, state.answer_problem[:23]) == (False, "The connection was lost")
