"""Typed annotations by REST: lists, conversations and spans in answers and changes, all of a change or none of it."""

import json
from pathlib import Path

from fastapi.testclient import TestClient

from tests.api_client import refusal
from tests.fakes.uploads import zipped
from tests.fakes.videos import draw_clip
from tests.ingest import import_now
from tests.integration.test_api_datasets import a_zip, bring
from tests.unit.services.datasets.ingest.test_frame_films import RAW

TALK = {
    "turns": [
        {"question": "What is it?", "answer": "A cat.\nIt sits.", "options": []},
        {"question": "Which?", "answer": "red", "options": ["red", "blue"]},
    ],
    "system": "Be short.",
}


def test_all_annotations_of_a_clip_are_read_and_changed(ada_client: TestClient, tmp_path: Path) -> None:
    found = bring(ada_client, a_zip(tmp_path, {"left": 3, "right": 3}))
    address = f"/api/v1/datasets/{found['id']}/clips"
    first, second = ada_client.get(address).json()["items"][:2]
    assert (first["labels"], first["captions"], first["conversations"]) == (["left"], [], [])
    assert (first["start_s"], first["end_s"], first["film_s"]) == (None, None, first["duration_s"])
    body = {"captions": ["One.", "Two."], "conversations": [TALK], "start_s": 0.1, "end_s": 0.4}
    changed = ada_client.patch(f"/api/v1/clips/{first['id']}", json=body).json()
    assert {key: changed[key] for key in body} == body
    assert (changed["caption"], changed["prompt"]) == ("A cat.\nIt sits.", "What is it?")
    whole = ada_client.patch(f"/api/v1/clips/{first['id']}", json={"whole_film": True}).json()
    assert (whole["start_s"], whole["end_s"], whole["duration_s"]) == (None, None, first["duration_s"])
    edit = ada_client.patch(address, json={"clip_ids": [second["id"]], "labels": ["left", "up"]}).json()["edit"]
    assert ada_client.get(address, params={"label": "up"}).json()["total"] == 1
    assert ada_client.get(address, params={"q": "it sits"}).json()["total"] == 1
    row = ada_client.get(f"/api/v1/clips/{second['id']}").json()
    assert (row["labels"], row["status"], row["problem_kind"]) == (["left", "up"], "ok", None)
    assert ada_client.post(f"/api/v1/datasets/{found['id']}/edits/{edit['id']}/undo").status_code == 200
    assert ada_client.get(f"/api/v1/clips/{second['id']}").json()["labels"] == ["left"]
    body = {"clip_ids": [second["id"]], "label": "up"}
    assert ada_client.post(f"/api/v1/datasets/{found['id']}/labels", json=body).json()["edit"]["clips"] == 1
    kept = {"conversion": "first_label"}
    assert ada_client.post(f"/api/v1/datasets/{found['id']}/conversions", json=kept).json()["edit"]["clips"] == 1
    assert ada_client.post(f"/api/v1/datasets/{found['id']}/labels", json={**body, "remove": True}).json() == {
        "edit": None
    }
    refusal(ada_client.post(f"/api/v1/datasets/{found['id']}/conversions", json={"conversion": "x"}), 422)


def test_a_change_with_one_wrong_value_changes_nothing(ada_client: TestClient, tmp_path: Path) -> None:
    found = bring(ada_client, a_zip(tmp_path, {"left": 3, "right": 3}))
    first = ada_client.get(f"/api/v1/datasets/{found['id']}/clips").json()["items"][0]
    wrong = {**TALK, "turns": [{"question": "Which?", "answer": "green", "options": ["red", "blue"]}]}
    for body in ({"conversations": [wrong]}, {"start_s": 2, "end_s": 1}, {"labels": [""]}, {"captions": ["x" * 4001]}):
        refusal(ada_client.patch(f"/api/v1/clips/{first['id']}", json={"split": "train", **body}), 422)
    assert ada_client.get(f"/api/v1/clips/{first['id']}").json() == first


def test_spans_of_a_film_are_clips_of_their_own(ada_client: TestClient, tmp_path: Path) -> None:
    table = "video,start,end,label\n" + "".join(f"{i}.mp4,{at},{at + 0.5},{at}\n" for i in range(2) for at in (0, 0.5))
    films = {f"{i}.mp4": draw_clip(tmp_path / "x.mp4", dx=i + 1, frames=20).read_bytes() for i in range(2)}
    found = bring(ada_client, a_zip(tmp_path, {}, films | {"t.csv": table.encode()}))
    assert (found["status"], found["class_names"]) == ("ready", ["0", "0.5"]), json.dumps(found)
    rows = ada_client.get(f"/api/v1/datasets/{found['id']}/clips").json()["items"]
    assert [(row["name"], row["start_s"], row["end_s"]) for row in rows] == [
        *(("0.mp4", 0, 0.5), ("0.mp4", 0.5, 1), ("1.mp4", 0, 0.5), ("1.mp4", 0.5, 1))
    ]


def test_the_rate_of_frame_folders_is_changed_and_undone(ada_client: TestClient) -> None:
    dataset_id = int(bring(ada_client, zipped(RAW))["id"])
    address = f"/api/v1/datasets/{dataset_id}"
    label = {"clip_ids": [ada_client.get(f"{address}/clips").json()["items"][0]["id"]], "label": "sit"}
    assert ada_client.post(f"{address}/labels", json=label).status_code == 200
    assert ada_client.post(f"{address}/read", json={"frame_rate": 50}).status_code == 202
    assert import_now(dataset_id) == "ready"
    clips = ada_client.get(f"{address}/clips").json()["items"]
    assert {(clip["fps"], clip["duration_s"], clip["frames"]) for clip in clips} == {(50.0, 0.16, 8)}
    assert any("sit" in clip["labels"] for clip in clips)
    edit = ada_client.get(f"{address}/edits").json()["items"][0]
    assert edit["what"] == "4 films of pictures: 50 frames a second"
    assert ada_client.post(f"{address}/edits/{edit['id']}/undo").status_code == 200
    clips = ada_client.get(f"{address}/clips").json()["items"]
    assert {(clip["fps"], clip["duration_s"], clip["frames"]) for clip in clips} == {(25.0, 0.32, 8)}
