"""The playground on real parts: a worker, the process that answers, the shipped bases, an adapter of each."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.domain.datasets import Clip, Dataset, DatasetStatus
from orchestrator.domain.models import VideoModel
from orchestrator.domain.redis_keys import playground_open
from orchestrator.domain.run_summary import RunSummary
from orchestrator.domain.tasks import Task
from orchestrator.domain.training_jobs import JobStatus, TrainingJob
from orchestrator.services.adapters.recording import record_adapter
from orchestrator.services.auth.limits import forget_clients
from orchestrator.services.db import session_scope
from orchestrator.services.models.builtin import ensure_builtin
from tests.api_client import sign_in
from tests.fakes.adapters import RECIPE, make_adapter
from tests.forked_processes import AnyProcess
from tests.studio import RedisProcess, start_process, until

Processes = list[AnyProcess]
MOTIONS = ("blinking", "zooming")


def make_dataset(home: Path, owner: int, task: Task) -> tuple[int, list[int]]:
    """Four drawn clips with a class and a caption each."""
    folder = home / "storage" / "datasets" / task.value
    folder.mkdir(parents=True)
    with session_scope() as session:
        dataset = Dataset(owner_id=owner, name=task.value, task=task, status=DatasetStatus.READY, clip_count=4)
        session.add(dataset)
        session.flush()
        clips = []
        for number in range(4):
            motion = MOTIONS[number % 2]
            path = write_mp4(folder / f"{number}.mp4", demo_frames(motion, number))
            said: dict[str, Any] = (
                {"label": motion} if task is Task.CLASSIFICATION else {"caption": f"a red disc is {motion}"}
            )
            clip = Clip(
                dataset_id=dataset.id or 0,
                name=path.name,
                path=str(path.relative_to(home / "storage")),
                content_hash=f"{task.value}-{number}",
                **said,
            )
            clips.append(clip)
        session.add_all(clips)
        session.flush()
        return dataset.id or 0, [clip.id or 0 for clip in clips]


def make_version(home: Path, owner: int, base: str, task: str, **known: Any) -> int:
    """A completed job; the id of its adapter."""
    with session_scope() as session:
        model = session.exec(select(VideoModel).where(VideoModel.source_ref == base)).one()
        job = TrainingJob(
            owner_id=owner,
            name=f"tiny-{task}",
            dataset_name=task,
            model_id=model.id,
            model_name=model.name,
            recipe=RECIPE,
            idempotency_key=task,
            status=JobStatus.COMPLETED,
            summary=RunSummary(task=task),
        )
        session.add(job)
        session.flush()
        job_id, path = job.id or 0, model.path
    make_adapter(home / "jobs" / str(job_id), Path(path), task, **known)
    with session_scope() as session:
        adapter = record_adapter(session, job_id)
        assert adapter is not None
        return adapter.id or 0


@pytest.mark.slow
def test_everything_a_person_may_ask(home: Path, redis_server: RedisProcess, processes: Processes) -> None:
    """One warm process answers all of it, in the order a person might try things."""
    forget_clients()
    ada, bob = sign_in("ada"), sign_in("bob")
    owner = int(ada.get("/api/v1/me").json()["id"])
    with session_scope() as session:
        ensure_builtin(session)
    _, [clip_id, *_] = make_dataset(home, owner, Task.CLASSIFICATION)
    dataset_id, [told_id, *_] = make_dataset(home, owner, Task.CAPTIONING)
    made = {
        "classification": make_version(home, owner, "videomae-tiny", "classification", class_names=MOTIONS),
        "captioning": make_version(home, owner, "captioner-tiny", "captioning", captions=("a red disc is blinking",)),
        "retrieval": make_version(home, owner, "retriever-tiny", "retrieval"),
    }
    ask = {"adapter_id": made["classification"], "clip_id": clip_id}
    assert ada.post("/api/v1/infer", json=ask).status_code == 503  # no playground process runs yet
    processes.append(start_process("-m", "jobs.worker", "--device", "cpu", "--no-prep", log=home / "worker.log"))
    client = redis_server.client()
    until(lambda: client.exists("loreel:playground:keeper"), 30, "a worker keeps the playground")
    try:
        _classes(ada, ask)
        _captions(ada, made["captioning"], told_id)
        _search(ada, made["retrieval"], dataset_id)
        _chat(ada, home, made["captioning"], told_id)
        _broken(ada, home, made["captioning"], clip_id)
        _strangers(bob, {"clip_id": clip_id, "dataset_id": dataset_id}, made)
    except AssertionError:
        print((home / "worker.log").read_text()[-4000:])
        raise
    until(lambda: not client.keys("loreel:playground:*said"), 5, "nothing stays in Redis")
    assert client.zcard(playground_open(owner)) == 0


def _classes(ada: Any, ask: dict[str, Any]) -> None:
    first = ada.post("/api/v1/infer", json=ask)
    assert first.status_code == 200, first.text
    said = first.json()
    adapter, base = said["answers"]
    assert (adapter["who"], base["who"], said["clip"]["reference"]) == ("adapter", "base", "blinking")
    for one in (adapter, base):
        assert {row["label"] for row in one["labels"]} == set(MOTIONS)
        assert sum(row["probability"] for row in one["labels"]) == pytest.approx(1.0, abs=0.001)
    assert adapter["labels"] != base["labels"]
    assert said["load_ms"] > 0
    again = ada.post("/api/v1/infer", json=ask).json()
    assert again["load_ms"] == 0.0
    assert [one["labels"] for one in again["answers"]] == [adapter["labels"], base["labels"]]
    # The base alone answers with the classes that it came with.
    with session_scope() as session:
        model_id = session.exec(select(VideoModel.id).where(VideoModel.source_ref == "videomae-tiny")).one()
    alone = ada.post("/api/v1/infer", json={"model_id": model_id, "clip_id": ask["clip_id"]}).json()
    assert alone["answers"][0]["classes"] == 8
    assert alone["adapter"] is None


def _captions(ada: Any, adapter_id: int, clip_id: int) -> None:
    said = ada.post("/api/v1/infer", json={"adapter_id": adapter_id, "clip_id": clip_id}).json()
    adapter, base = said["answers"]
    assert base["text"].startswith("a ")
    assert adapter["text"] != base["text"]
    assert said["clip"]["reference"] == "a red disc is blinking"


def _search(ada: Any, adapter_id: int, dataset_id: int) -> None:
    ask = {"adapter_id": adapter_id, "dataset_id": dataset_id, "query": "a red disc moves up"}
    said = ada.post("/api/v1/infer", json=ask).json()
    adapter, base = said["answers"]
    assert said["searched"] == 4
    assert (adapter["looked_at"], base["looked_at"]) == (4, 4)
    scores = [clip["score"] for clip in adapter["clips"]]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    again = ada.post("/api/v1/infer", json=ask | {"query": "it blinks"}).json()
    assert [one["looked_at"] for one in again["answers"]] == [0, 0]
    assert ada.post("/api/v1/infer", json=ask | {"query": " "}).status_code == 422


def _chat(ada: Any, home: Path, adapter_id: int, clip_id: int) -> None:
    names = [model["id"] for model in ada.get("/v1/models").json()["data"]]
    assert names[0] == f"adapter-{adapter_id}"
    raw = (home / "storage" / "datasets" / "captioning" / "0.mp4").read_bytes()
    inside = "data:video/mp4;base64," + base64.b64encode(raw).decode()
    said = []
    for url in (inside, f"clip:{clip_id}", f"http://localhost:3000/api/v1/clips/{clip_id}/preview"):
        content = [{"type": "text", "text": "What moves?"}, {"type": "video_url", "video_url": {"url": url}}]
        body = {"model": "tiny-captioning-v1", "messages": [{"role": "user", "content": content}]}
        answer = ada.post("/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        said.append(answer.json()["choices"][0]["message"]["content"])
    assert len(set(said)) == 1
    assert said[0]
    answer = ada.post("/v1/chat/completions", json=body | {"stream": True})
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    deltas = [json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines[:-1]]
    assert "".join(deltas).strip() == said[0]
    assert sum(bool(delta) for delta in deltas) > 2  # piece by piece


def _broken(ada: Any, home: Path, adapter_id: int, clip_id: int) -> None:
    """What cannot be answered gets a sentence, and the process goes on."""
    dropped = ada.post("/api/v1/playground/clips?name=x.mp4", content=b"not a film")
    assert (dropped.status_code, dropped.json()["detail"]) == (
        422,
        "x.mp4 is not a video we can read, or it is cut off. Upload it again or as MP4.",
    )
    assert not list((home / "scratch").glob("*/*/clip.mp4"))[1:]
    path = home / "storage" / "datasets" / "classification" / "1.mp4"
    path.write_bytes(path.read_bytes()[:300])
    refused = ada.post("/api/v1/infer", json={"adapter_id": adapter_id, "clip_id": clip_id + 1})
    assert refused.status_code == 422
    assert "1.mp4" in refused.json()["detail"]
    name = {"adapter_id": adapter_id, "video_url": "http://nowhere.invalid/a.mp4"}
    answer = ada.post("/api/v1/infer", json=name)
    assert answer.status_code == 422
    assert "cannot be reached" in answer.json()["detail"]


def _strangers(bob: Any, things: dict[str, int], made: dict[str, int]) -> None:
    """Another user's adapter, clip and dataset read like ones that do not exist."""
    with session_scope() as session:
        models = dict(session.exec(select(VideoModel.source_ref, VideoModel.id)).all())
    for ask in (
        {"adapter_id": made["captioning"], "clip_id": things["clip_id"]},
        {"model_id": models["captioner-tiny"], "clip_id": things["clip_id"]},
        {"model_id": models["retriever-tiny"], "dataset_id": things["dataset_id"], "query": "disc"},
    ):
        assert bob.post("/api/v1/infer", json=ask).status_code == 404, ask
    assert [model["id"] for model in bob.get("/v1/models").json()["data"]] == [f"model-{models['captioner-tiny']}"]
