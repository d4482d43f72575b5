"""Datasets and models by REST: from a zip to clips that play; every bad zip a person may send ends in a sentence."""

import base64
import io
import json
import shutil
import struct
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from orchestrator.domain.datasets import Dataset
from orchestrator.domain.training_jobs import TrainingJob
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.api_client import refusal
from tests.fakes.videos import draw_clip
from tests.ingest import import_now


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def bring(client: TestClient, data: bytes, filename: str = "mine.zip") -> dict:
    """Uploads one file into a new dataset and reads it as the worker does; the dataset then."""
    dataset = client.post("/api/v1/datasets", json={"name": f"set {len(data)} {filename}"}).json()["id"]
    metadata = f"filename {_b64(filename)},dataset_id {_b64(dataset)}"
    made = client.post("/api/v1/uploads", headers={"Upload-Length": str(len(data)), "Upload-Metadata": metadata})
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert client.patch(made.headers["location"], headers=headers, content=data).status_code == 204
    assert client.post(f"/api/v1/datasets/{dataset}/ingest").status_code == 202
    import_now(int(dataset))
    return client.get(f"/api/v1/datasets/{dataset}").json()


def a_zip(folder: Path, counts: dict[str, int], extra: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for shade, (label, count) in enumerate(counts.items()):
            for i in range(count):
                clip = draw_clip(folder / f"{label}{i}.mp4", shade=40 * shade, dx=i + 1)
                archive.write(clip, f"{label}/{i}.mp4")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_from_a_zip_to_clips_that_play(ada_client: TestClient, tmp_path: Path):
    whole = draw_clip(tmp_path / "whole.mp4", frames=40).read_bytes()
    extra = {"left/cut.mp4": whole[: len(whole) // 2], "right/words.mp4": b"these are words"}
    found = bring(ada_client, a_zip(tmp_path, {"left": 3, "right": 2}, extra))
    assert (found["status"], found["clip_count"], found["bad_count"]) == ("ready", 5, 2)
    assert found["class_names"] == ["left", "right"]
    assert found["created_at"].endswith("Z")
    clips = ada_client.get(f"/api/v1/datasets/{found['id']}/clips", params={"limit": 3}).json()
    assert (len(clips["items"]), clips["total"]) == (3, 7)
    rest = ada_client.get(
        f"/api/v1/datasets/{found['id']}/clips", params={"limit": 200, "cursor": clips["next"]}
    ).json()
    assert len(rest["items"]) == 4
    assert "path" not in clips["items"][0]
    report = ada_client.get(f"/api/v1/datasets/{found['id']}/report").json()
    assert len(report["left_out"]) == 2
    assert all(clip["problem"] for clip in report["left_out"])
    assert report["findings"][0]["kind"] == "damaged"
    assert report["findings"][0]["actions"] == ["delete"]
    good = next(c for c in clips["items"] + rest["items"] if c["status"] == "ok" and c["label"] == "left")
    media = ada_client.get(f"/api/v1/clips/{good['id']}/preview", headers={"range": "bytes=0-99"})
    assert (media.status_code, len(media.content), media.headers["content-type"]) == (206, 100, "video/mp4")
    assert "private" in media.headers["cache-control"]
    assert media.headers["x-content-type-options"] == "nosniff"
    strip = ada_client.get(f"/api/v1/clips/{good['id']}/thumbnail")
    assert strip.content.startswith(b"\xff\xd8")
    changed = ada_client.patch(f"/api/v1/clips/{good['id']}", json={"label": "right", "split": "validation"})
    assert (changed.json()["label"], changed.json()["split"]) == ("right", "validation")
    refusal(ada_client.patch(f"/api/v1/clips/{good['id']}", json={"label": " "}), 422)
    refusal(ada_client.patch(f"/api/v1/clips/{good['id']}", json={"split": "sideways"}), 422)
    assert dataset_folder(int(found["id"])).exists()
    assert ada_client.delete(f"/api/v1/datasets/{found['id']}").status_code == 204
    assert not dataset_folder(int(found["id"])).exists()
    refusal(ada_client.get(f"/api/v1/clips/{good['id']}/preview"), 404)


def lying_bomb() -> bytes:
    """A zip whose index says 10 bytes where 50 MB come out."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("left/1.mp4", b"\0" * 50_000_000)
    data = buffer.getvalue()
    size = struct.pack("<I", 50_000_000)
    return data.replace(size, struct.pack("<I", 10))


def honest_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("left/1.mp4", b"\0" * 50_000_000)
    return buffer.getvalue()


def named(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"x")
    return buffer.getvalue()


BAD = {
    "empty zip": (b"PK\x05\x06" + b"\0" * 18, "empty"),
    "not a zip": (b"PK but not really", "not a zip"),
    "climbs": (named("../../evil.mp4"), "points outside"),
    "absolute": (named("/etc/evil.mp4"), "points outside"),
    "windows": (named("C:\\evil.mp4"), "points outside"),
    "grows a hundredfold": (honest_bomb(), "far more than"),
    "lies about its size": (lying_bomb(), ""),
    "no videos": (named("left/readme.txt"), "None of the files can be used"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_bad_zip_has_its_sentence_and_leaves_nothing(ada_client: TestClient, case: str):
    data, words = BAD[case]
    found = bring(ada_client, data)
    assert found["status"] == "error"
    assert words in found["error"]
    assert found["error"].endswith(".")
    assert found["clip_count"] == 0
    folder = dataset_folder(int(found["id"]))
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert list((get_settings().data_dir / "uploads").iterdir()) == []
    assert not (get_settings().data_dir.parent / "evil.mp4").exists()


def test_classes_of_one_clip_each_are_named_and_can_be_tried_again(ada_client: TestClient, tmp_path: Path):
    found = bring(ada_client, a_zip(tmp_path, {"left": 1, "lonely": 1}))
    assert found["status"] == "error"
    assert "lonely" in found["error"]
    again = bring(ada_client, a_zip(tmp_path, {"left": 2, "lonely": 2}))
    assert again["status"] == "ready"


def test_videos_without_labels_get_help_with_labelling(ada_client: TestClient, tmp_path: Path):
    found = bring(ada_client, draw_clip(tmp_path / "a.mp4").read_bytes(), "a.mp4")
    assert found["status"] == "error"
    assert "folder" in found["error"]


def test_a_dataset_that_a_job_learns_from_stays(ada_client: TestClient):
    dataset = ada_client.post("/api/v1/datasets", json={"name": "busy"}).json()["id"]
    with session_scope() as session:
        owner = session.get_one(Dataset, int(dataset)).owner_id
        job = TrainingJob(
            owner_id=owner,
            name="night-run",
            dataset_id=int(dataset),
            dataset_name="busy",
            model_name="m",
            idempotency_key="k",
        )
        session.add(job)
    assert "night-run" in refusal(ada_client.delete(f"/api/v1/datasets/{dataset}"), 409)["detail"]


def test_lists_search_sort_and_page(ada_client: TestClient):
    for name in ("b one", "a two", "c_three"):
        assert ada_client.post("/api/v1/datasets", json={"name": name}).status_code == 201
    first = ada_client.get("/api/v1/datasets", params={"sort": "name", "limit": 2, "q": " "}).json()
    assert first["items"][0]["name"] in ("Shapes described", "Shapes in motion", "a two")
    assert first["total"] in (3, 5)
    found = ada_client.get("/api/v1/datasets", params={"q": "C_T"}).json()
    assert [item["name"] for item in found["items"]] == ["c_three"]
    assert ada_client.get("/api/v1/datasets", params={"q": "c%t"}).json()["total"] == 0
    refusal(ada_client.get("/api/v1/datasets", params={"sort": "password"}), 422)
    refusal(ada_client.get("/api/v1/datasets", params={"limit": 0}), 422)
    refusal(ada_client.get("/api/v1/datasets", params={"cursor": "nonsense"}), 422)
    refusal(ada_client.get("/api/v1/datasets", params={"status": "happy"}), 422)
    refusal(ada_client.post("/api/v1/datasets", json={"name": " "}), 422)
    refusal(ada_client.post("/api/v1/datasets", json={"name": "x", "source": {"type": "carrier pigeon"}}), 422)


def test_models_are_registered_only_from_allowed_folders(ada_client: TestClient, tmp_path: Path):
    body = {"name": "mine", "model_type": "video_classification", "source": {"type": "path", "path": str(tmp_path)}}
    assert refusal(ada_client.post("/api/v1/models", json=body), 422)["errors"][0]["field"] == "path"
    root = get_settings().model_roots[0]
    root.mkdir(parents=True, exist_ok=True)
    (root / "link").symlink_to(tmp_path)
    body["source"] = {"type": "path", "path": str(root / "link")}
    refusal(ada_client.post("/api/v1/models", json=body), 422)
    (root / "pickled").mkdir()
    (root / "pickled" / "config.json").write_text(json.dumps({"model_type": "videomae"}))
    (root / "pickled" / "pytorch_model.bin").write_bytes(b"x")
    body["source"] = {"type": "path", "path": str(root / "pickled")}
    assert "safetensors" in refusal(ada_client.post("/api/v1/models", json=body), 422)["detail"]
    builtin = Path(__file__).resolve().parents[2] / "orchestrator" / "builtin" / "models" / "videomae-tiny"
    shutil.copytree(builtin, root / "tiny")
    (root / "tiny" / "preprocessor_config.json").rename(root / "tiny" / "aside.json")
    body["source"] = {"type": "path", "path": str(root / "tiny")}
    refused = refusal(ada_client.post("/api/v1/models", json=body), 422)
    assert (refused["errors"][0]["field"], "preprocessor_config.json is missing" in refused["detail"]) == ("path", True)
    (root / "tiny" / "aside.json").rename(root / "tiny" / "preprocessor_config.json")
    body["source"] = {"type": "path", "path": str(root / "tiny")}
    made = ada_client.post("/api/v1/models", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "ready"
    layers = ada_client.get(f"/api/v1/models/{made.json()['id']}/layers").json()["items"]
    assert any(layer["default"] for layer in layers)
    assert ada_client.delete(f"/api/v1/models/{made.json()['id']}").status_code == 204
    assert (root / "tiny").exists()
