"""By REST, what a video language model cannot do is said before a job is queued, and its defaults avoid it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.families import FAMILIES
from orchestrator.domain.models import VideoModel
from orchestrator.domain.tasks import ModelType, Task
from orchestrator.domain.users import Actor, Role
from orchestrator.services.db import session_scope
from orchestrator.services.models.vision_tokens import read_vision_layout
from tests.studio import make_things
from tests.unit.jobs.families.standard_bases import BASES


def prepare(client: TestClient, family: str) -> dict[str, Any]:
    """A dataset with captions and a base of this family, as the body of a job."""
    me = client.get("/api/v1/me").json()
    dataset_id, model_id = make_things(Actor(int(me["id"]), "ada", "", Role.ADMIN))
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).task = Task.CAPTIONING
        for clip in session.exec(select(Clip).where(Clip.dataset_id == dataset_id)):
            clip.caption, clip.frames, clip.duration_s, clip.width, clip.height = "it hops", 40, 4.0, 320, 180
        model = session.get_one(VideoModel, model_id)
        model.family, model.architecture, model.model_type = family, FAMILIES[family].title, ModelType.CAPTIONING
        model.parameters = 35_000_000_000
        layer = {"suffix": "q_proj", "count": 4, "parameters": 4096, "in_features": 64, "out_features": 64}
        layers = [layer | {"default": True}, layer | {"suffix": "up_proj", "default": False}]
        model.details = {"sight": read_vision_layout(family, BASES[family].config), "layers": layers}
    return {"dataset_id": str(dataset_id), "model_id": str(model_id), "output_name": "night-run"}


@pytest.mark.parametrize(
    ("family", "recipe", "fields"),
    [
        ("qwen3_5_moe", {"qlora": {"bits": 4}}, ["qlora.bits"]),
        ("qwen3_5_moe", {"qlora": {"target_modules": ["up_proj"]}}, ["qlora.target_modules"]),
        ("qwen3_5_moe", {}, []),
        ("qwen3_5", {"data": {"frame_shape": "square"}}, ["data.frame_shape"]),
        ("glm4v", {"data": {"min_frames": 4}}, ["data.min_frames"]),
        ("glm46v", {"data": {"max_frames": 8}}, ["data.max_frames"]),
        ("gemma4", {"data": {"frame_tokens": 100}}, ["data.frame_tokens"]),
        ("gemma4", {"data": {"frame_tokens": 140, "frames": 8}}, []),
        ("minicpmv4_6", {"data": {"fps": 2}}, ["data.fps"]),
        ("molmo2", {"data": {"min_frames": 2}}, ["data.min_frames"]),
        ("video_llava", {"data": {"fps": 2}}, ["data.fps"]),
    ],
)
def test_what_a_base_cannot_do_is_refused(
    ada_client: TestClient, family: str, recipe: dict[str, Any], fields: list[str]
) -> None:
    body = prepare(ada_client, family)
    answer = ada_client.post("/api/v1/jobs/preflight", json=body | recipe).json()
    assert [problem["field"] for problem in answer["problems"]] == fields, answer["problems"]
    assert all(problem["message"].endswith(".") for problem in answer["problems"])


def test_experts_are_trained_around_in_16_bits(ada_client: TestClient) -> None:
    body = prepare(ada_client, "qwen3_5_moe")
    chosen = {"dataset_id": body["dataset_id"], "model_id": body["model_id"]}
    found = {one["field"]: one for one in ada_client.get("/api/v1/recipes/defaults", params=chosen).json()["items"]}
    assert found["qlora.bits"]["value"] == 16
    assert "experts" in found["qlora.bits"]["source"]
