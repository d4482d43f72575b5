"""Real files in real layouts: LLaMA-Factory's own demo, a WebDataset tar inside a zip, and class lists."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset, Split
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import assign_splits
from orchestrator.services.datasets.export import plan_export, stream
from orchestrator.services.db import session_scope
from orchestrator.settings import ROOT
from tests.fakes.uploads import uploaded_dataset
from tests.fakes.videos import draw_clip
from tests.ingest import import_now


def read(dataset_id: int) -> tuple[Dataset, list[Clip]]:
    with session_scope() as session:
        clips = session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(Clip.name)).all()
        return session.get_one(Dataset, dataset_id), list(clips)


def test_llama_factorys_demo(ada: Actor) -> None:
    folder = next(
        (p / "shared/data/llamafactory_video_demo" for p in ROOT.parents if (p / "shared/data").is_dir()), None
    )
    if folder is None:
        pytest.skip("No ../shared/data/llamafactory_video_demo next to the project: this test imports it.")
    files = {f"demo/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    dataset_id = uploaded_dataset(ada, files, Task.CAPTIONING)
    assert import_now(dataset_id) == "ready"
    dataset, clips = read(dataset_id)
    assert (dataset.clip_count, dataset.bad_count, dataset.layout["title"]) == (3, 0, "LLaMA-Factory (ShareGPT)")
    assert [clip.caption for clip in clips][1] == "She is cooking."
    assert all(clip.frames > 10 and clip.prompt and len(clip.perceptual_hash) == 64 for clip in clips)
    assert len({clip.perceptual_hash for clip in clips}) == 3


def test_webdataset_shards(ada: Actor, tmp_path: Path) -> None:
    shards = {}
    for number in range(2):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for key in range(2):
                clip = draw_clip(tmp_path / "c.mp4", shade=40 * number + 20 * key, dx=1 + number)
                about = json.dumps({"caption": f"Square {number}, {key}."}).encode()
                for name, data in ((f"{key}.mp4", clip.read_bytes()), (f"{key}.json", about)):
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
        shards[f"shard-{number}.tar"] = buffer.getvalue()
    dataset_id = uploaded_dataset(ada, shards, Task.RETRIEVAL)
    assert import_now(dataset_id) == "ready"
    dataset, clips = read(dataset_id)
    assert dataset.layout["key"] == "webdataset"
    assert [(clip.name, clip.caption) for clip in clips] == [
        (f"shard-{number}/{key}.mp4", f"Square {number}, {key}.") for number in range(2) for key in range(2)
    ]


def test_a_table_of_labels_and_splits(ada: Actor, tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    rows = ["file_name,label,split"]
    for number in range(8):
        name = f"{number}.mp4"
        files[f"set/{name}"] = draw_clip(tmp_path / name, shade=10 * number, dx=1 + number % 2).read_bytes()
        rows.append(f"{name},{'slow' if number % 2 else 'fast'},{'val' if number > 5 else 'train'}")
    files["set/metadata.csv"] = "\n".join(rows).encode()
    dataset_id = uploaded_dataset(ada, files)
    assert import_now(dataset_id) == "ready"
    dataset, clips = read(dataset_id)
    assert dataset.class_names == ["fast", "slow"]
    assert [clip.split for clip in clips] == [Split.TRAIN] * 6 + [Split.VALIDATION] * 2


def test_a_damaged_table_is_named_as_the_cause(ada: Actor, tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "a.mp4").read_bytes()
    dataset_id = uploaded_dataset(ada, {"a.mp4": clip, "data.json": b'[{"video": "a.mp4",'}, Task.CAPTIONING)
    assert import_now(dataset_id) == "error"
    assert "data.json is not valid JSON" in read(dataset_id)[0].error


@pytest.mark.parametrize("form", ["videofolder", "sharegpt", "swift"])
def test_what_is_exported_imports_again(ada: Actor, tmp_path: Path, form: str) -> None:
    files = {f"{label}/{i}.mp4": draw_clip(tmp_path / "c.mp4", shade=20 * i, dx=dx).read_bytes()
             for label, dx in (("left", 1), ("right", 3)) for i in range(2)}  # fmt: skip
    dataset_id = uploaded_dataset(ada, files)
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        assign_splits(session, ada, dataset_id, 0.5)
        for clip in session.exec(select(Clip).where(Clip.dataset_id == dataset_id)):
            clip.prompt, clip.caption = "Which, in your words?", clip.label
        plan = plan_export(session, ada, dataset_id, form)
    assert plan.filename == f"mine-v2-{form}.zip"
    archive = b"".join(stream(plan))
    again = uploaded_dataset(ada, {"out.zip": archive})
    assert import_now(again) == "ready"
    before, after = read(dataset_id)[1], read(again)[1]
    assert read(again)[0].layout["key"] == form
    assert sorted((c.content_hash, c.label, c.split, c.prompt) for c in after) == sorted(
        (c.content_hash, c.label, c.split, c.prompt) for c in before
    )
