"""Films that are made of folders of pictures: every picture is a frame, at the chosen rate, and what fails is told."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from PIL import Image

from jobs.sandbox.make_films import BadFrames, copy_film, make_film
from jobs.video.decode import decode_sample
from jobs.video.probe_pool import ProbePool
from orchestrator.domain.datasets import ClipProblem, ClipStatus, Dataset, DatasetStatus, Split
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.curation.edits import undo_edit
from orchestrator.services.datasets.curation.versions import clips_at, list_edits
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest import reinterpret, review, uploads
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.datasets.ingest.reinterpret import request_reinterpretation
from orchestrator.services.datasets.ingest.review import accept_layout
from orchestrator.services.datasets.ingest.uploads import request_ingest
from orchestrator.services.datasets.media.clips import clip_media
from orchestrator.services.datasets.not_used import NOT_USED, from_json
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.uploads import add_uploads, uploaded_dataset
from tests.ingest import import_now
from tests.unit.services.datasets.ingest.test_pipeline import clips_of, dataset_of

SIZE = (48, 32)


def picture(grey: int, kind: str = "JPEG", size: tuple[int, int] = SIZE, orientation: int = 1) -> bytes:
    """A grey picture, darker in its left half."""
    pixels = np.full((size[1], size[0], 3), grey, np.uint8)
    pixels[:, : size[0] // 2] //= 2
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(out, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    return out.getvalue()


def folder(name: str, greys: Sequence[int], kind: str = "JPEG", first: int = 1) -> dict[str, bytes]:
    ending = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}[kind]
    return {f"{name}/img_{n:05}.{ending}": picture(grey, kind) for n, grey in enumerate(greys, first)}


def written(tmp_path: Path, pictures: Sequence[bytes]) -> list[Path]:
    paths = [tmp_path / f"{number}.picture" for number in range(len(pictures))]
    for path, data in zip(paths, pictures, strict=True):
        path.write_bytes(data)
    return paths


GREYS = [20, 90, 160, 230]


@pytest.mark.parametrize("kinds", [["JPEG"] * 4, ["PNG"] * 4, ["WEBP"] * 4, ["JPEG", "PNG", "WEBP", "JPEG"]])
def test_every_picture_is_a_frame_in_its_order(kinds: list[str], tmp_path: Path) -> None:
    film = tmp_path / "film.mov"
    paths = written(tmp_path, [picture(g, kind) for g, kind in zip(GREYS, kinds, strict=True)])
    assert make_film(paths, film, 12.5) == 0
    sample = decode_sample(film, 4)
    assert sample.indices == [0, 1, 2, 3]
    assert sample.seconds == pytest.approx([0, 0.08, 0.16, 0.24])
    assert sample.frames.shape == (4, 32, 48, 3)
    assert np.abs(sample.frames[:, :, 40].astype(int).mean((1, 2)) - GREYS).max() <= 3
    assert np.abs(sample.frames[:, :, 8].astype(int).mean((1, 2)) - np.array(GREYS) // 2).max() <= 3


def test_the_same_pictures_at_the_same_rate_give_the_same_bytes(tmp_path: Path) -> None:
    paths = written(tmp_path, [picture(grey) for grey in GREYS])
    for name, rate in (("a", 25), ("b", 25), ("c", 30)):
        make_film(paths, tmp_path / name, rate)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pictures_that_are_stored_turned_are_upright(kind: str, tmp_path: Path) -> None:
    make_film(written(tmp_path, [picture(grey, kind, orientation=6) for grey in GREYS]), tmp_path / "f.mov", 25)
    frames = decode_sample(tmp_path / "f.mov", 4).frames
    assert frames.shape == (4, 48, 32, 3)
    assert np.abs(frames[3, 40].astype(int).mean() - 230) <= 3  # the left half lies at the top now
    assert np.abs(frames[3, 8].astype(int).mean() - 115) <= 3


def test_pictures_of_another_size_are_counted_and_scaled(tmp_path: Path) -> None:
    pictures = [
        picture(GREYS[0]),
        picture(GREYS[1], size=(96, 64)),
        picture(GREYS[2]),
        picture(GREYS[3], size=(24, 16)),
    ]
    assert make_film(written(tmp_path, pictures), tmp_path / "f.mov", 25) == 2
    frames = decode_sample(tmp_path / "f.mov", 4).frames
    assert frames.shape == (4, 32, 48, 3)
    assert np.abs(frames[:, :, 40].astype(int).mean((1, 2)) - GREYS).max() <= 4


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFrames, match=r"1\.picture is no JPEG, PNG or WebP"):
        make_film(written(tmp_path, [picture(9), b"<html>", picture(9)]), tmp_path / "f.mov", 25)


def lists(label_of: dict[str, int], count: int) -> dict[str, bytes]:
    lines = [f"{name} {count} {label}" for name, label in label_of.items()]
    return {"train_list.txt": "\n".join(lines).encode()}


RAW = {
    f"raw/{label}/v{n}/{name.rpartition('/')[2]}": data
    for number, label in enumerate(("jump", "run"))
    for n in range(2)
    for name, data in folder("v", [10 + 40 * number + 15 * n + i for i in range(8)]).items()
}


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reinterpret, review, uploads):
        monkeypatch.setattr(module, "enqueue", lambda *_, **__: None)


def test_folders_become_clips_and_are_read_again_without_their_pictures(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, RAW | lists({"jump/v0": 0, "run/v0": 1, "jump/v1": 0, "run/v1": 1}, 8))
    assert import_now(dataset_id) == "ready"
    clips = {clip.name: clip for clip in clips_of(dataset_id)}
    facts = {(c.label, c.frames, c.fps, c.width, c.height, c.codec, c.status) for c in clips.values()}
    assert facts == {(label, 8, 25.0, *SIZE, "mjpeg", ClipStatus.OK) for label in ("jump", "run")}
    assert sorted(clips) == [f"raw/{label}/v{n}.mov" for label in ("jump", "run") for n in range(2)]
    assert len(list(dataset_folder(dataset_id).rglob("*.jpg"))) == 4  # the film strips: no picture is kept twice
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"layout": "folders"})
    assert import_now(dataset_id) == "ready"
    assert {clip.split for clip in clips_of(dataset_id)} == {Split.AUTO}
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"layout": "rawframes"})
    assert import_now(dataset_id) == "ready"
    found = sorted((clip.label, clip.split) for clip in clips_of(dataset_id))
    assert found == [(label, Split.TRAIN) for label in ("jump", "jump", "run", "run")]


def test_the_rate_of_films_that_are_there_is_changed_as_a_version(ada: Actor) -> None:
    rows = "raw/jump/v0,0.08,0.24,jump\nraw/jump/v0,0,0.08,jump\nraw/run/v0,0,0.16,run\nraw/run/v1,0,0.16,run\n"
    dataset_id = uploaded_dataset(ada, RAW | {"t.csv": f"video,start,end,label\n{rows}".encode()})
    assert import_now(dataset_id) == "ready"
    before, strips = values_of(dataset_id), strips_of(ada, dataset_id)
    assert len(before) == 4
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"frame_rate": 50})
    assert import_now(dataset_id) == "ready"
    first = next(clip for clip in clips_of(dataset_id) if clip.start_s)
    values = (first.fps, first.film_s, first.start_s, first.end_s, first.duration_s)
    assert values == pytest.approx((50, 0.16, 0.04, 0.12, 0.08))
    assert first.frames == 4
    sample = decode_sample(get_settings().storage_dir / first.path, 2, span=first.span)
    assert sample.indices == [3, 5]
    assert sample.seconds == pytest.approx([0.06, 0.1])
    assert strips_of(ada, dataset_id) == strips  # the same pictures
    assert (dataset_of(dataset_id).version, dataset_of(dataset_id).status) == (2, DatasetStatus.READY)
    with session_scope() as session:
        former = clips_at(session, dataset_id, 1)
        assert {clip.id: (clip.path, clip.span) for clip in former} == {key: value[:2] for key, value in before.items()}
        edit = list_edits(session, ada, dataset_id).items[0]
        assert edit.what == "4 films of pictures: 50 frames a second"
        undo_edit(session, ada, dataset_id, edit.id)
    assert values_of(dataset_id) == before
    assert all((get_settings().storage_dir / str(path)).is_file() for path, *_ in before.values())


def values_of(dataset_id: int) -> dict[int | None, tuple[object, ...]]:
    return {
        clip.id: (clip.path, clip.span, clip.fps, clip.film_s, clip.duration_s, clip.frames, clip.content_hash)
        for clip in clips_of(dataset_id)
        if clip.status is ClipStatus.OK
    }


def strips_of(ada: Actor, dataset_id: int) -> dict[int | None, bytes]:
    with session_scope() as session:
        return {
            clip_id: clip_media(session, ada, clip_id or 0, thumbnail=True).read_bytes()
            for clip_id in values_of(dataset_id)
        }


def test_a_copy_with_another_rate_has_the_bytes_of_a_film_made_with_it(tmp_path: Path) -> None:
    paths = written(tmp_path, [picture(grey) for grey in GREYS])
    make_film(paths, tmp_path / "a.mov", 25)
    make_film(paths, tmp_path / "b.mov", 30)
    copy_film(tmp_path / "a.mov", tmp_path / "c.mov", 30)
    assert (tmp_path / "c.mov").read_bytes() == (tmp_path / "b.mov").read_bytes()


def test_another_rate_together_with_other_settings_is_refused(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, RAW)
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"frame_rate": 50, "ignore_splits": True})
    assert import_now(dataset_id) == "kept"
    assert "plays at 25 frames a second. Change the rate alone first" in dataset_of(dataset_id).error
    assert {clip.fps for clip in clips_of(dataset_id)} == {25.0}


def test_the_rate_is_chosen_at_the_review(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, RAW)
    with session_scope() as session:
        session.get_one(Dataset, dataset_id).status = DatasetStatus.DRAFT
    with session_scope() as session:
        request_ingest(session, ada, dataset_id, review=True)
    import_now(dataset_id)
    layout = dataset_of(dataset_id).layout
    assert (layout["choices"]["frame_rate"], layout["preview"]["clips"]) == (25.0, 4)
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"frame_rate": 10})
    import_now(dataset_id)
    assert dataset_of(dataset_id).layout["notes"][0].endswith("at 10 frames a second, as chosen.")
    with session_scope() as session:
        accept_layout(session, ada, dataset_id)
    assert import_now(dataset_id) == "ready"
    assert {(clip.fps, clip.duration_s) for clip in clips_of(dataset_id)} == {(10.0, 0.8)}


def test_a_damaged_folder_costs_its_film_only_and_is_named(ada: Actor) -> None:
    files = dict(RAW)
    files["raw/jump/v1/img_00003.jpg"] = b"not a picture"
    files["raw/run/v1/img_00003.jpg"] = picture(50, size=(24, 16))
    dataset_id = uploaded_dataset(ada, files)
    assert import_now(dataset_id) == "ready"
    bad = [clip for clip in clips_of(dataset_id) if clip.status is ClipStatus.BAD]
    assert [(clip.name, clip.problem_kind) for clip in bad] == [("raw/jump/v1.mov", ClipProblem.DAMAGED)]
    assert "img_00003.jpg is no JPEG" in bad[0].problem
    layout = dataset_of(dataset_id).layout
    assert any("raw/run/v1 differ in size" in note for note in layout["notes"])
    assert "raw/jump/v1.mov" in {name for group in from_json(layout[NOT_USED]) for name in group.names}


def test_folders_that_come_later_join_the_earlier_ones(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, RAW)
    assert import_now(dataset_id) == "ready"
    add_uploads(ada, dataset_id, folder("raw/sit/v5", range(100, 108)))
    assert import_now(dataset_id) == "ready"
    assert len(clips_of(dataset_id)) == 5
    add_uploads(ada, dataset_id, folder("raw/sit/v5", range(100, 108)))  # once more
    assert import_now(dataset_id) == "ready"
    assert len(clips_of(dataset_id)) == 5
    with session_scope() as session:
        request_reinterpretation(session, ada, dataset_id, {"layout": "folders"})
    assert import_now(dataset_id) == "ready"
    assert sorted(clip.label for clip in clips_of(dataset_id)) == ["jump", "jump", "run", "run", "sit"]


def test_an_import_stops_between_the_films(ada: Actor) -> None:
    dataset_id = uploaded_dataset(ada, RAW)
    with ProbePool(size=1) as pool:
        assert ingest_dataset(dataset_id, pool, should_continue=lambda: False) == "left to another worker"
    assert get_settings().storage_dir in dataset_folder(dataset_id).parents
    assert import_now(dataset_id) == "ready"


def test_pictures_with_data_that_the_decoder_passes_on_are_a_film(tmp_path: Path) -> None:
    """A camera's MJPEG: each picture has EXIF, a kind of frame data that PyAV does not know."""
    turned = picture(200, orientation=8)
    with av.open(str(tmp_path / "camera.mov"), "w", format="mov") as out:
        film = out.add_stream("mjpeg", rate=25)
        film.width, film.height, film.pix_fmt = *SIZE, "yuvj420p"
        for number in range(3):
            packet = Packet(turned)
            packet.stream, packet.time_base, packet.is_keyframe = film, Fraction(1, 25), True
            packet.pts = packet.dts = number
            packet.duration = 1
            out.mux(packet)
    frames = decode_sample(tmp_path / "camera.mov", 3).frames
    assert frames.shape == (3, 48, 32, 3)
    assert np.abs(frames[:, 8].astype(int).mean((1, 2)) - 200).max() <= 3  # the right half lies at the top now
