"""Files as strangers send them, through the real process with limits: each gets its sentence, the good ones stay."""

import json
import struct
import subprocess
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from PIL import Image
from sqlmodel import select

from jobs.sandbox.make_preview import write_preview
from jobs.video.decode import decode_sample
from jobs.video.inspect import inspect_clip
from jobs.video.probe_pool import ProbePool, ProbeProcess
from orchestrator.domain.datasets import Clip, ClipStatus, Dataset
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.datasets.files import dataset_folder
from orchestrator.services.datasets.ingest.pipeline import ingest_dataset
from orchestrator.services.db import session_scope
from orchestrator.settings import get_settings
from tests.fakes.uploads import uploaded_dataset
from tests.fakes.videos import draw_clip, truncated


def film(
    path: Path, codec: str, size: int = 64, frames: int = 12, gaps: bool = False, options: dict[str, str] | None = None
) -> bytes:
    """A clip in another codec, or with frames at uneven times."""
    with av.open(str(path), "w") as out:
        stream = cast(VideoStream, out.add_stream(codec, rate=8, options=options or {}))
        stream.width, stream.height = size, size
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for i in range(frames):
            picture = np.full((size, size, 3), 20 * (i % 10), np.uint8)
            picture[: size // 2, : i * size // frames] = (240, 160, 60)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = (i * i if gaps else i), Fraction(1, 8)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path.read_bytes()


def sound(path: Path) -> bytes:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(8000))
    return path.read_bytes()


def still(path: Path, kind: str) -> bytes:
    Image.new("RGB", (40, 40), (200, 90, 10)).save(path, kind)
    return path.read_bytes()


def vast(_: Path) -> bytes:
    """A header that says 16,000 x 16,000 pixels."""
    return b"YUV4MPEG2 W16000 H16000 F8:1 Ip A1:1 C420\nFRAME\n" + bytes(4_000)


Make = Callable[[Path], bytes]
GOOD: dict[str, Make] = {
    "plain.mp4": lambda p: draw_clip(p).read_bytes(),
    "tiny.mp4": lambda p: draw_clip(p, size=32, shade=9).read_bytes(),
    "uneven times.mkv": lambda p: film(p, "libx264", gaps=True),
    "mpeg4.avi": lambda p: film(p, "mpeg4"),
    "hevc.mp4": lambda p: film(p, "libx265", options={"x265-params": "log-level=none:pools=1"}),
    "vp9.webm": lambda p: film(p, "libvpx-vp9", frames=6),
    "moving.gif": lambda p: film(p, "gif"),
    "wrong ending.avi": lambda p: draw_clip(p.with_suffix(".mp4"), shade=40).read_bytes(),
    "Ünïcödé \u4e2d\u6587 \U0001f3ac.mp4": lambda p: draw_clip(p.with_name("u.mp4"), shade=60).read_bytes(),
    "con.mp4": lambda p: draw_clip(p, shade=80).read_bytes(),
    "a;rm -rf $(x) `y` 'z'.mp4": lambda p: draw_clip(p.with_name("q.mp4"), shade=100).read_bytes(),
}
BAD: dict[str, tuple[Make, str]] = {
    "empty.mp4": (lambda _: b"", "is empty"),
    "words.mp4": (lambda _: b"these are words", "is not a video we can read"),
    "noise.mp4": (lambda _: bytes(range(256)) * 64, "is not a video we can read"),
    "zeros.mkv": (lambda _: bytes(50_000), "is not a video we can read"),
    "cut.mp4": (lambda p: truncated(draw_clip(p, shade=5)), "is not a video we can read"),
    "half.avi": (lambda p: film(p, "mpeg4", frames=60)[:6_000], "half.avi"),
    "sound.avi": (lambda p: sound(p), "holds sound only"),
    "picture.mp4": (lambda p: still(p, "PNG"), "is a single picture"),
    "photo.mov": (lambda p: still(p, "JPEG"), "is a single picture"),
    "vast.avi": (vast, "more than we decode"),
    "list.mp4": (lambda _: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "is not a video we can read"),
    "concat.mp4": (lambda _: b"ffconcat version 1.0\nfile /etc/passwd\n", "is not a video we can read"),
    "page.webm": (lambda _: b"<html><script>alert(1)</script>", "is not a video we can read"),
    "program.mp4": (lambda _: b"\x7fELF" + bytes(2_000), "is not a video we can read"),
    "pickle.mp4": (lambda _: b"\x80\x04cos\nsystem\n(S'true'\ntR.", "is not a video we can read"),
}
NO_FILMS = {
    "notes.pdf": b"%PDF-1.7",
    "subtitle.srt": b"1\n00:00:00,000 --> 00:00:01,000\nhi\n",
    "run.sh": b"#!/bin/sh\ntouch /tmp/owned\n",
}

# Whatever FFmpeg makes of these, each is named in a sentence: heads of real formats with nothing behind them, playlists
# that name other files, archives and programs under a video's name, films with bytes taken out or turned round.
JUNK: dict[str, bytes] = {
    "one byte.mp4": b"\0",
    "newline.mkv": b"\n",
    "riff.avi": b"RIFF\xff\xff\xff\xffAVI LIST",
    "lying list.avi": b"RIFF\x04\0\0\0AVI LIST\xff\xff\xff\x7fhdrl",
    "ebml.webm": b"\x1aE\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff",
    "ebml.mkv": b"\x1aE\xdf\xa3" + bytes(64),
    "ftyp only.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
    "endless box.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\1mdat" + b"\xff" * 8,
    "box in box.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0\0\1\0moov" * 32,
    "head.flv": b"FLV\1\5\0\0\0\x09\0\0\0\0",
    "head.wmv": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(32),
    "head.ogv": b"OggS\0\2" + bytes(22),
    "head.mpg": b"\0\0\1\xba" + b"\xff" * 64,
    "sync.ts": (b"G\x1f\xff\x10" + bytes(184)) * 12,
    "head.gif": b"GIF89a\xff\xff\xff\xff\xf7\0\0",
    "nothing.gif": b"GIF89a\1\0\1\0\0\0\0;",
    "zero by zero.avi": b"YUV4MPEG2 W0 H0 F8:1 Ip A1:1 C420\nFRAME\n",
    "minus.avi": b"YUV4MPEG2 W-4 H-4 F8:1 Ip A1:1 C420\nFRAME\n",
    "no rate.avi": b"YUV4MPEG2 W4 H4 F0:0 Ip A1:1 C420\n",
    "list.m3u8.mp4": b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:1,\nhttp://127.0.0.1/x.ts\n',
    "manifest.mp4": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://127.0.0.1/</BaseURL></MPD>',
    "session.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
    "drawing.mp4": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "entity.mp4": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "wide words.mp4": "these are words".encode("utf-16"),
    "gzip.mp4": b"\x1f\x8b\x08" + bytes(40),
    "windows.mov": b"MZ" + bytes(128),
    "numpy.mkv": b"\x93NUMPY\1\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    "weights.webm": b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",
    "certificate.mov": b"-----BEGIN CERTIFICATE-----\n",
}


def middle_out(path: Path) -> bytes:
    """A film whose pictures are zeros."""
    data = bytearray(film(path, "mpeg4"))
    data[len(data) // 4 : -len(data) // 8] = bytes(len(data) - len(data) // 4 - len(data) // 8)
    return bytes(data)


BAD |= {name: (lambda _, data=data: data, name) for name, data in JUNK.items()}
BAD |= {
    "backwards.mp4": (lambda p: draw_clip(p).read_bytes()[::-1], "backwards.mp4"),
    "zeroed.avi": (middle_out, "zeroed.avi"),
}
GOOD |= {
    "one by one.avi": lambda p: film(p, "ffv1", size=1, frames=4),
    "ffv1.mkv": lambda p: film(p, "ffv1"),
    "two frames.mp4": lambda p: film(p, "libx264", frames=2),
    "\u202efdp.exe.mp4": lambda p: draw_clip(p.with_name("r.mp4"), shade=110).read_bytes(),
}


def turned(path: Path, quarter: int = 1) -> bytes:
    """A phone's clip: filmed lying, to be shown standing. The turn is a matrix in the track's header (ISO 14496-12)."""
    cos, sin = {1: (0, 1), 2: (-1, 0), 3: (0, -1)}[quarter]
    matrix = struct.pack(">9i", cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    data = bytearray(film(path, "libx264", size=64, frames=12))
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16  # version 0: times, id, duration; then layer and volume
    data[at : at + 36] = matrix
    return bytes(data)


GOOD |= {
    "av1.mp4": lambda p: film(p, "libsvtav1", options={"preset": "12", "svtav1-params": "lp=1"}),
    "av1.webm": lambda p: film(p, "libsvtav1", frames=9, options={"preset": "12", "svtav1-params": "lp=1"}),
    "turned left.mp4": lambda p: turned(p),
    "upside down.mov": lambda p: turned(p.with_name("t.mp4"), 2),
}


def test_a_turned_clip_is_seen_as_it_is_shown(tmp_path: Path) -> None:
    """Facts, film strip, what a model sees and the copy for browsers are upright, as players show the clip."""
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as out:
        stream = cast(VideoStream, out.add_stream("libx264", rate=8))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(8):
            picture = np.zeros((64, 96, 3), np.uint8)
            picture[:, :48] = 255  # bright on the left as it lies
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)  # a quarter to the right
    path.write_bytes(bytes(data))
    facts = inspect_clip(path, "turned.mp4", tmp_path / "strip.jpg")
    assert (facts.width, facts.height) == (64, 96)
    frames = decode_sample(path, 2).frames
    assert frames.shape == (2, 96, 64, 3)
    assert frames[0, :40].mean() > 200
    assert frames[0, 56:].mean() < 50
    strip = np.asarray(Image.open(tmp_path / "strip.jpg").convert("L"))[:, :160]
    assert strip[:50].mean() > 200
    assert strip[70:].mean() < 50
    write_preview(path, tmp_path / "copy.mp4")
    copy = decode_sample(tmp_path / "copy.mp4", 1).frames[0]
    assert copy.shape == (96, 64, 3)
    assert copy[:40].mean() > 200


def test_the_corpus_is_large_enough() -> None:
    assert len(GOOD) + len(BAD) >= 60


def test_the_corpus(ada: Actor, tmp_path: Path) -> None:
    files: dict[str, bytes] = {f"a/{name}": data for name, data in NO_FILMS.items()}
    for number, (name, make) in enumerate((GOOD | {name: make for name, (make, _) in BAD.items()}).items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        files[f"{'ab'[number % 2]}/{name}"] = make(folder / name)
    dataset_id = uploaded_dataset(ada, files)
    with ProbePool(2) as pool:
        assert ingest_dataset(dataset_id, pool, concurrency=3) == "ready"
    with session_scope() as session:
        clips = session.exec(select(Clip).where(Clip.dataset_id == dataset_id)).all()
        not_used = session.get_one(Dataset, dataset_id).layout["not_used"]
    assert {f"a/{name}" for name in NO_FILMS} <= {name for group in not_used for name in group["names"]}
    problems = {clip.name[2:]: clip.problem for clip in clips if clip.status is ClipStatus.BAD}
    assert set(problems) == set(BAD), {name: problems[name] for name in set(problems) - set(BAD)}
    for name, (_, sentence) in BAD.items():
        assert sentence in problems[name]
        assert problems[name].endswith(".")
    good = [clip for clip in clips if clip.status is ClipStatus.OK]
    assert {clip.name[2:] for clip in good} == set(GOOD)
    # Nothing lies there but the good clips and their film strips, and nothing outside.
    root, kept = get_settings().storage_dir, {name for clip in good for name in (clip.path, clip.thumbnail_path)}
    there = {str(path.relative_to(root)) for path in dataset_folder(dataset_id).rglob("*") if path.is_file()}
    assert there == kept
    assert not list((get_settings().data_dir / "uploads").iterdir())


def other_children(monkeypatch: pytest.MonkeyPatch, *commands: list[str]) -> None:
    """The first children are these instead; those after them are the real ones."""
    real, instead = subprocess.Popen, iter(commands)
    monkeypatch.setattr(sandbox.subprocess, "Popen", lambda command, **options: real(next(instead, command), **options))


def test_a_decoder_that_dies_costs_one_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a file had crashed FFmpeg: the clip is named, the next one gets a fresh process."""
    clip = draw_clip(tmp_path / "a.mp4")
    other_children(monkeypatch, ["/bin/sh", "-c", "read line; kill -SEGV $$"])
    with ProbePool(1) as pool:
        assert "a.mp4 makes the decoder fail" in pool([(str(clip), "a.mp4", str(tmp_path / "s.jpg"))])[0].problem
        assert pool([(str(clip), "a.mp4", str(tmp_path / "s.jpg"))])[0].frames == 16


def test_a_decoder_that_dies_among_several_costs_one_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, good = str(draw_clip(tmp_path / "a.mp4")), json.dumps({"frames": 5})
    other_children(monkeypatch, ["/bin/sh", "-c", f"read line; echo '{good}'; read line; kill -SEGV $$"])
    with ProbePool(1) as pool:
        facts = pool([(clip, name, str(tmp_path / f"{name}.jpg")) for name in ("a", "b", "c", "d")])
    assert [bool(one.problem) for one in facts] == [False, True, False, False]
    assert "b makes the decoder fail" in facts[1].problem
    assert [one.frames for one in facts] == [5, 0, 16, 16]


def test_a_decoder_that_hangs_costs_one_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = draw_clip(tmp_path / "a.mp4")
    other_children(monkeypatch, ["/bin/sleep", "60"])
    with ProbePool(1, limit_s=0.3) as pool:
        assert "takes too long" in pool([(str(clip), "a.mp4", str(tmp_path / "s.jpg"))])[0].problem


def test_a_child_that_ended_between_two_clips_blames_nobody(tmp_path: Path) -> None:
    clip, process = draw_clip(tmp_path / "a.mp4"), ProbeProcess()
    child = process.child()
    child.kill()
    child.wait()
    assert process([(str(clip), "a.mp4", str(tmp_path / "s.jpg"))])[0].frames == 16
    process.end()
