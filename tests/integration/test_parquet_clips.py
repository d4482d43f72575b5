"""Clips inside Parquet files, as Hugging Face's `datasets` writes them: unpacked, described, kept within limits."""

import io
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from sqlmodel import select

from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.errors import Invalid
from orchestrator.domain.tasks import Task
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.ingest import parquet_clips
from orchestrator.services.datasets.ingest.parquet_clips import unpack_table
from orchestrator.services.db import session_scope
from tests.fakes.uploads import uploaded_dataset
from tests.fakes.videos import draw_clip
from tests.ingest import import_now

FEATURES = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}


def film(folder: Path, shade: int) -> bytes:
    return draw_clip(folder / f"{shade}.mp4", shade=shade).read_bytes()


def table(columns: dict[str, list[object]]) -> bytes:
    made = pyarrow.table(columns).replace_schema_metadata({"huggingface": json.dumps(FEATURES)})
    sink = io.BytesIO()
    parquet.write_table(made, sink, row_group_size=2)
    return sink.getvalue()


def read(dataset_id: int) -> list[Clip]:
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        clips = list(session.exec(select(Clip).where(Clip.dataset_id == dataset_id).order_by(Clip.name)))
        assert session.get_one(Dataset, dataset_id).clip_count == sum(1 for clip in clips if clip.path)
    return clips


def test_clips_with_classes(ada: Actor, tmp_path: Path) -> None:
    names = ["a.mp4", "../../etc/b.mp4", "C:\\x\\c.mp4", None]
    films: list[object] = [{"bytes": film(tmp_path, 40 * i), "path": name} for i, name in enumerate(names)]
    pictures: list[object] = [{"bytes": b"\x89PNG", "path": "x.png"}] * 4
    said = table({"image": pictures, "video": films, "label": [0, 1, 0, 1]})
    clips = read(uploaded_dataset(ada, {"data/train-00000-of-00001.parquet": said}))
    assert [(clip.name.rpartition("/")[2], clip.label) for clip in clips] == [
        ("000000-a.mp4", "cat"),
        ("000001-b.mp4", "dog"),
        ("000002-c.mp4", "cat"),
        ("000003.mp4", "dog"),
    ]


def test_captions_of_two_tables_and_bytes_without_a_name(ada: Actor, tmp_path: Path) -> None:
    files = {
        f"data/{split}-0.parquet": table(
            {"video": [film(tmp_path, base), film(tmp_path, base + 9)], "caption": [f"{split} one", f"{split} two"]}
        )
        for split, base in (("train", 30), ("validation", 150))
    }
    clips = read(uploaded_dataset(ada, files, Task.CAPTIONING))
    assert [(clip.caption, clip.split.value) for clip in clips] == [
        ("train one", "train"),
        ("train two", "train"),
        ("validation one", "validation"),
        ("validation two", "validation"),
    ]


def test_a_damaged_clip_inside_costs_itself_only(ada: Actor, tmp_path: Path) -> None:
    good = [film(tmp_path, shade) for shade in (20, 60, 100, 140)]
    said = table({"video": [*good, good[0][:300]], "caption": [f"number {i}" for i in range(5)]})
    clips = read(uploaded_dataset(ada, {"train.parquet": said}, Task.CAPTIONING))
    assert [bool(clip.problem) for clip in clips] == [False] * 4 + [True]


def test_more_than_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "big.parquet"
    place.write_bytes(table({"video": [film(tmp_path, shade) for shade in (20, 60)], "caption": ["a", "b"]}))
    with pytest.raises(Invalid, match=r"big.parquet unpacks to more than"):
        unpack_table(place, 1_500)
    assert not (tmp_path / "big").exists()


def test_a_table_that_grows_out_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_clips, "_ALWAYS_ALLOWED_BYTES", 2**16)
    place = tmp_path / "bomb.parquet"
    swollen = [film(tmp_path, 20) + b"\0" * 2**20] * 40
    parquet.write_table(pyarrow.table({"video": swollen}), place, compression="zstd")
    with pytest.raises(Invalid, match="unpacks to more than"):
        unpack_table(place, 2**30)


@pytest.mark.parametrize("data", [b"PAR1 nothing", table({"file_name": ["a.mp4"], "label": [0]})])
def test_a_table_without_clips_stays(tmp_path: Path, data: bytes) -> None:
    place = tmp_path / "metadata.parquet"
    place.write_bytes(data)
    assert unpack_table(place, 2**20) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["metadata.parquet"]
