"""What a file is, its content says; what of a film is not used, a note says."""

from pathlib import Path

import pytest
from sqlmodel import select

from jobs.video.probe import probe
from jobs.video.source import BadClip
from orchestrator.domain.datasets import Clip, Dataset
from orchestrator.domain.users import Actor
from orchestrator.services.datasets.files import holds_video, may_be_video
from orchestrator.services.db import session_scope
from tests.fakes.odd_videos import preview_first, transport_stream, write_film
from tests.fakes.uploads import uploaded_dataset
from tests.fakes.videos import draw_clip
from tests.ingest import import_now


def test_content_and_not_the_ending_makes_a_video(ada: Actor, tmp_path: Path) -> None:
    raw = write_film(tmp_path / "a.h264", file_format="h264").read_bytes()
    files = {
        "a/b9bb81fd77d4930a889d17adadf83d95": draw_clip(tmp_path / "b.mp4").read_bytes(),
        "a/video.f4v": draw_clip(tmp_path / "c.mp4", shade=30).read_bytes(),
        "b/camera.dat": transport_stream(tmp_path / "d.ts").read_bytes(),
        "b/raw.stream": raw,
        "b/notes": b"these are words",
        "b/empty": b"",
    }
    dataset_id = uploaded_dataset(ada, files)
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        clips = session.exec(select(Clip).where(Clip.dataset_id == dataset_id)).all()
        assert {clip.name: (clip.problem, clip.frames) for clip in clips} == {
            "a/b9bb81fd77d4930a889d17adadf83d95": ("", 16),
            "a/video.f4v": ("", 16),
            "b/camera.dat": ("", 120),
            "b/raw.stream": ("", 48),
        }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"words",
        b"\xff\xd8\xff\xe0 JFIF",
        b"\0\0\0\x18ftypheic",
        b"OggS\0\2vorbis",
        b"G" + bytes(900),
        b"PK\3\4",
        b"%PDF",
    ],
)
def test_other_content_is_no_video(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert may_be_video("file")
    assert not holds_video(path)
    assert not may_be_video("file.txt")


def test_what_of_a_film_is_not_used_is_noted(ada: Actor, tmp_path: Path) -> None:
    stream = transport_stream(tmp_path / "whole.ts").read_bytes()
    files = {
        "a/first.ts": stream[20 * 188 :],
        "a/second.ts": stream[24 * 188 :],
        "b/two.mp4": write_film(tmp_path / "two.mp4", before=preview_first).read_bytes(),
        "b/plain.mp4": draw_clip(tmp_path / "plain.mp4").read_bytes(),
    }
    dataset_id = uploaded_dataset(ada, files)
    assert import_now(dataset_id) == "ready"
    with session_scope() as session:
        notes = session.get_one(Dataset, dataset_id).layout["notes"]
    begins, films = sorted(note for note in notes if ".ts" in note or ".mp4" in note)
    assert begins.startswith("first.ts begins without a key frame: its first ")
    assert begins.endswith("So it is with 1 further: a/second.ts.")
    assert films == "two.mp4 holds 2 films: the one that players show (stream 1) is used."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n", "is a pointer of Git LFS"),
        (b"RIFF\x24\0\0\0AVI ", "is not a video we can read"),
    ],
)
def test_what_is_no_film_is_named(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "0.mp4"
    path.write_bytes(content)
    with pytest.raises(BadClip, match=sentence):
        probe(path)


def test_a_matroska_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mkv")
    assert probe(film).frames == 48
    data = film.read_bytes()
    film.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(BadClip, match=r"a\.mkv is cut off: 6[67] % of its bytes are there"):
        probe(film)
