"""Frames of a film of two hours are read by seeks, in memory that depends neither on its length nor on its size."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from jobs.video import decode
from jobs.video.decode import decode_timed

FPS, GOP, PICTURES, SECONDS = 12, 48, 10, 7200
"""A key frame each four seconds; the grey of a picture says where in each 40 s it is."""
TOTAL = FPS * SECONDS
FILLER = b"\x0c" + b"\xff" * 1000 + b"\x80"
"""A part of an H.264 picture that decoders pass over: the film is as large as one with something to see."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds, each four of one grey."""
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": str(GOP), "bf": "0", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for number in range(PICTURES * GOP):
            picture = np.full((16, 32, 3), 20 + 20 * (number // GOP), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def make_film(scene: Path, path: Path) -> Path:
    """The scene again and again for two hours, without encoding it again."""
    with av.open(scene) as source, av.open(path, "w") as film:
        stream = source.streams.video[0]
        copy = film.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        filler = len(FILLER).to_bytes(4, "big") + FILLER
        content = [(bytes(packet) + filler, packet.is_keyframe) for packet in packets]
        for number in range(TOTAL):
            data, is_keyframe = content[number % len(content)]
            packet = av.Packet(data)
            packet.pts = packet.dts = number
            packet.duration, packet.time_base, packet.is_keyframe = 1, Fraction(1, FPS), is_keyframe
            packet.stream = copy
            film.mux(packet)
    return path


def peak_memory() -> int:
    """The most bytes of this process that were in memory since it was last reset."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_a_film_of_two_hours_is_read_by_seeks(
    kind: str, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make_film(scene, tmp_path / f"film.{kind}")
    sought: list[int] = []

    def frame_at(container: Any, stream: Any, stamp: int, clock: Any) -> Any:
        sought.append(stamp)
        return found(container, stream, stamp, clock)

    def unexpected(*_: Any) -> Any:
        raise AssertionError("the film was decoded from end to end")

    found = decode.frame_at
    monkeypatch.setattr(decode, "frame_at", frame_at)
    monkeypatch.setattr(decode, "_in_order", unexpected)
    monkeypatch.setattr(decode, "decode_timeline", unexpected)
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    frames, timing = decode_timed(film, lambda total, _: [i * total // 32 + 5 for i in range(32)])
    assert peak_memory() - before < 40e6
    assert len(sought) == len(frames) == 32
    assert (timing.total, timing.fps) == (TOTAL, pytest.approx(FPS, abs=0.01))
    expected = [20 + 20 * (index // GOP % PICTURES) for index in timing.indices]
    assert frames.mean((1, 2, 3)) == pytest.approx(expected, abs=4)
