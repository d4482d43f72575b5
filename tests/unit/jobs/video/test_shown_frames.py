"""What players show counts, not what a header promises: frames, their times, their side up, the right stream."""

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from jobs.sandbox.make_preview import write_preview
from jobs.video import decode
from jobs.video.cache import ClipFile, FrameCache, Sampling
from jobs.video.decode import decode_sample, decode_timeline
from jobs.video.probe import probe
from jobs.video.sampling import sample_indices
from jobs.video.source import BadClip
from jobs.video.thumbnail import join_tiles
from orchestrator.domain.annotations import Span
from orchestrator.settings import ROOT
from tests.fakes.odd_videos import (
    MATRICES,
    corners,
    corners_of,
    cover_first,
    number_of,
    preview_first,
    set_edits,
    set_matrix,
    transport_stream,
    write_film,
)

X265 = {"x265-params": "log-level=none:pools=1:keyint=24"}
OPEN_GOP = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0"}
REFRESH = {"x264-params": "intra-refresh=1:keyint=24"}
Make = Callable[[Path], Path]
SHOWN: dict[str, tuple[str, Make, range, float]] = {
    "plain": ("a.mp4", write_film, range(48), 2.0),
    "edit list": ("a.mp4", lambda p: set_edits(write_film(p), [(1.0, 0.5)]), range(10, 34), 1.0),
    "edit list at the end": ("a.mov", lambda p: set_edits(write_film(p), [(0.5, 1.5833)]), range(36, 48), 0.5),
    "empty edit": ("a.mp4", lambda p: set_edits(write_film(p), [(0.5, -1), (2.0, 0.0833)]), range(48), 2.0),
    "fragments": ("a.mp4", lambda p: write_film(p, muxer={"movflags": "frag_keyframe+empty_moov"}), range(48), 2.0),
    "live Matroska": ("a.mkv", lambda p: write_film(p, muxer={"live": "1"}), range(48), 2.0),
    "raw stream": ("a.h264", lambda p: write_film(p, file_format="h264"), range(48), 1.92),
    "H.264 in AVI": ("a.avi", write_film, range(48), 2.0),
    "MPEG-4 in AVI": ("a.avi", lambda p: write_film(p, codec="mpeg4"), range(48), 2.0),
    "program stream": ("a.mpg", lambda p: write_film(p, codec="mpeg2video"), range(48), 2.0),
    "VP9": ("a.webm", lambda p: write_film(p, codec="libvpx-vp9"), range(48), 2.0),
    "open GOP": ("a.mp4", lambda p: write_film(p, options=OPEN_GOP), range(48), 2.0),
    "cover first": ("a.mp4", lambda p: write_film(p, before=cover_first), range(48), 2.0),
    "preview first": ("a.mp4", lambda p: write_film(p, before=preview_first), range(48), 2.0),
    "preview first in Matroska": ("a.mkv", lambda p: write_film(p, before=preview_first), range(48), 2.0),
    "one frame": ("a.mp4", lambda p: write_film(p, 1), range(1), 1 / 24),
    "odd size": ("a.mkv", lambda p: write_film(p, size=(33, 47), codec="ffv1", pix_fmt="bgr0"), range(48), 2.0),
    "ten bits": ("a.mp4", lambda p: write_film(p, 24, "libx265", pix_fmt="yuv420p10le", options=X265), range(24), 1.0),
    "moving GIF": ("a.gif", lambda p: write_film(p, 12, codec="gif", pix_fmt="rgb8"), range(12), 0.5),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(SHOWN))
def test_frames_and_seconds_are_those_that_players_show(kind: str, tmp_path: Path) -> None:
    name, make, numbers, seconds = SHOWN[kind]
    path = make(tmp_path / name)
    facts = probe(path, strip=True)
    assert (facts.frames, len(facts.tiles)) == (len(numbers), 4)
    assert facts.duration_s == pytest.approx(seconds, rel=0.03)
    sample = decode_sample(path, len(numbers))
    assert sample.indices == list(range(len(numbers)))
    assert all(abs(number_of(picture) - n) <= 1 for picture, n in zip(sample.frames, numbers, strict=True))
    assert all(0 <= second < facts.duration_s for second in sample.seconds)
    assert sample.seconds == sorted(sample.seconds)
    timeline = decode_timeline(path, name)
    assert (timeline.frames, round(timeline.duration_s, 3)) == (facts.frames, facts.duration_s)
    write_preview(path, tmp_path / "copy.mp4")
    copy = probe(tmp_path / "copy.mp4")
    assert (copy.frames, copy.duration_s) == (facts.frames, pytest.approx(facts.duration_s, rel=0.03, abs=0.01))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_a_variable_rate_is_sampled_by_time(name: str, tmp_path: Path) -> None:
    """A second at 24 frames a second, a still of ten seconds, a second at 24."""
    seconds = [*(i / 24 for i in range(24)), *(11 + i / 24 for i in range(24))]
    path = write_film(tmp_path / name, codec="libvpx-vp9" if name.endswith("webm") else "libx264", seconds=seconds)
    facts = probe(path)
    assert (facts.frames, facts.duration_s, facts.fps) == (48, pytest.approx(12, rel=0.01), pytest.approx(4, rel=0.01))
    sample = decode_sample(path, 10)
    assert sample.indices == [14, *[23] * 8, 33]
    assert [number_of(picture) for picture in sample.frames] == sample.indices
    assert sample.seconds == pytest.approx([seconds[index] for index in sample.indices], abs=0.002)
    assert decode_sample(path, 5, fps=0.5).indices == [23, 23, 23, 23, 23]
    write_preview(path, tmp_path / "copy.mp4")
    assert probe(tmp_path / "copy.mp4").duration_s == pytest.approx(12, rel=0.01)


def test_a_stream_that_begins_inside_a_group_of_pictures_begins_at_its_first_key_frame(tmp_path: Path) -> None:
    whole = transport_stream(tmp_path / "whole.ts")
    path = tmp_path / "cut.ts"
    path.write_bytes(whole.read_bytes()[20 * 188 :])
    facts = probe(path, strip=True)
    assert (facts.frames, facts.duration_s) == (90, pytest.approx(90 / 24, rel=0.03))
    assert "begins without a key frame" in facts.note
    sample = decode_sample(path, 90)
    assert [number_of(picture) for picture in sample.frames] == [(30 + i) % 48 for i in range(90)]


def test_a_clock_that_starts_again_adds_no_time(tmp_path: Path) -> None:
    whole = transport_stream(tmp_path / "whole.ts").read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(whole * 2)
    assert (probe(path).frames, probe(path).duration_s) == (240, pytest.approx(10, rel=0.03))
    sample = decode_sample(path, 240)
    assert [number_of(picture) for picture in sample.frames] == [i % 48 for i in range(120)] * 2
    assert sample.seconds[-1] == pytest.approx(239 / 24, rel=0.03)


@pytest.mark.parametrize("kind", sorted(MATRICES))
def test_every_display_matrix_counts(kind: str, tmp_path: Path) -> None:
    a, b, c, d = MATRICES[kind]
    path = set_matrix(write_film(tmp_path / "a.mp4", 6, draw=lambda _: corners()), MATRICES[kind])
    wanted = [0] * 4
    for number in range(4):  # corner (x, y) of the stored picture, -1 or 1, goes to (ax + cy, bx + dy)
        x, y = 2 * (number % 2) - 1, 2 * (number // 2) - 1
        wanted[(b * x + d * y + 1) // 2 * 2 + (a * x + c * y + 1) // 2] = number
    facts = probe(path, strip=True)
    assert (facts.width, facts.height) == ((64, 48) if a else (48, 64))
    assert corners_of(decode_sample(path, 1).frames[0]) == wanted
    assert corners_of(np.asarray(join_tiles(facts.tiles[:1]))) == wanted
    write_preview(path, tmp_path / "copy.mp4")
    assert corners_of(decode_sample(tmp_path / "copy.mp4", 1).frames[0]) == wanted


@pytest.mark.parametrize(
    ("aspect", "turned", "size"),
    [
        ("16/11", False, (93, 48)),
        ("4/3", False, (85, 48)),
        ("2/3", False, (64, 72)),
        ("4/3", True, (48, 85)),
        ("99", False, (64, 48)),
    ],
)
def test_pixels_that_are_not_square(aspect: str, turned: bool, size: tuple[int, int], tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", 6, pixel_aspect=Fraction(aspect), draw=lambda _: corners())
    if turned:
        set_matrix(path, MATRICES["quarter to the right"])
    facts = probe(path)
    assert (facts.width, facts.height) == size
    assert decode_sample(path, 1).frames.shape == (1, size[1], size[0], 3)
    half = decode_sample(path, 1, {"shortest_edge": 24}).frames[0]
    assert half.shape[1] / half.shape[0] == pytest.approx(size[0] / size[1], rel=0.05)
    write_preview(path, tmp_path / "copy.mp4")
    copy = probe(tmp_path / "copy.mp4")
    assert copy.width / copy.height == pytest.approx(size[0] / size[1], rel=0.05)


def test_a_size_that_changes_in_the_film_is_that_of_its_beginning(tmp_path: Path) -> None:
    small, large = (write_film(tmp_path / f"{n}.h264", 12, size=(n, n), file_format="h264") for n in (48, 64))
    path = tmp_path / "both.h264"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    assert decode_sample(path, 24).frames.shape == (24, 48, 48, 3)


SOUGHT: dict[str, tuple[str, Make]] = {
    "closed GOP": ("a.mp4", lambda p: write_film(p, 120)),
    "open GOP": ("a.mp4", lambda p: write_film(p, 120, options=OPEN_GOP)),
    "open GOP in Matroska": ("a.mkv", lambda p: write_film(p, 120, options=OPEN_GOP)),
    "edit list": ("a.mp4", lambda p: set_edits(write_film(p, 120, options=OPEN_GOP), [(3.0, 0.9)])),
    "refresh without key frames": ("a.mp4", lambda p: write_film(p, 120, options=REFRESH)),
    "H.265": ("a.mp4", lambda p: write_film(p, 120, codec="libx265", options=X265)),
    "VP9": ("a.webm", lambda p: write_film(p, 120, codec="libvpx-vp9", options={"g": "24"})),
    "transport stream": ("a.ts", transport_stream),
    "program stream": ("a.mpg", lambda p: write_film(p, 120, codec="mpeg2video")),
    "MPEG-4 in AVI": ("a.avi", lambda p: write_film(p, 120, codec="mpeg4")),
    "H.264 in AVI": ("a.avi", lambda p: write_film(p, 120)),
    "raw stream": ("a.h264", lambda p: write_film(p, 120, file_format="h264")),
    "variable rate": ("a.mkv", lambda p: write_film(p, 120, seconds=[i * i / 100 for i in range(120)])),
}  # fmt: skip


@pytest.fixture(scope="module")
def sought(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, decode.Timeline, list[np.ndarray]]]:
    """Each file with its timeline and all its frames, decoded from end to end."""
    made = {}
    for kind, (name, make) in SOUGHT.items():
        path = make(tmp_path_factory.mktemp("sought") / name)
        timeline = decode_timeline(path, name)
        with decode.open_clip(path) as (container, stream):
            pictures = decode._in_order(container, stream, set(range(timeline.frames)), None) or {}
        made[kind] = path, timeline, [pictures[index].pixels for index in range(timeline.frames)]
    return made


@pytest.mark.parametrize("kind", sorted(SOUGHT))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_seeking_finds_the_frame_that_reading_on_finds(
    kind: str,
    share: float,
    sought: dict[str, tuple[Path, decode.Timeline, list[np.ndarray]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, timeline, frames = sought[kind]
    index = bisect_right(timeline.starts, share * timeline.duration_s) - 1
    monkeypatch.setattr(decode, "SEEK_ABOVE", 1)
    monkeypatch.setattr(decode, "_SEEK_EVERY", 1)
    monkeypatch.setattr(decode.Timeline, "sample", lambda *_: [index])
    sample = decode_sample(path, 1)
    assert sample.seconds == [pytest.approx(timeline.starts[index], abs=0.002)]
    assert np.array_equal(sample.frames[0], frames[index])


def test_a_span_is_sampled_as_a_film_of_its_own(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", 120)
    sample = decode_sample(path, 4, span=Span(1.0, 2.0))
    assert sample.indices == [24 + index for index in sample_indices(24, 4)]
    assert [number_of(picture) for picture in sample.frames] == [index % 48 for index in sample.indices]
    assert sample.seconds == pytest.approx([index / 24 for index in sample.indices])
    assert decode_sample(path, 2, span=Span(4.99, 99)).indices == [119, 119]
    assert decode_sample(path, 3, fps=2, span=Span(2.0, 4.0)).indices == [48 + i for i in sample_indices(48, 3, 24, 2)]
    uneven = write_film(tmp_path / "b.mkv", 40, seconds=[i * i / 100 for i in range(40)])
    assert decode_sample(uneven, 2, span=Span(1.0, 5.0)).indices == [14, 20]  # shown at 2 and 4 s
    cache = FrameCache(tmp_path / "frames", Sampling(4, (("height", 32), ("width", 32))))
    whole, part = ClipFile(path, "hash", "a.mp4"), ClipFile(path, "hash", "a.mp4", Span(1.0, 2.0))
    assert cache.path_of(whole) != cache.path_of(part)
    assert number_of(cache.frames(part)[0]) == 27
    assert number_of(cache.frames(whole)[0]) == 15


def test_a_film_without_its_last_third_is_cut_off(tmp_path: Path) -> None:
    data = write_film(tmp_path / "whole.mp4", 120, muxer={"movflags": "faststart"}).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) * 2 // 3])
    for read in (probe, decode_timeline):
        with pytest.raises(BadClip, match=r"^cut\.mp4 is cut off: \d+ of its 120 frames are there"):
            read(path, "cut.mp4")


@pytest.mark.parametrize(
    ("lost", "sentence"), [(3, "3 of its pictures are left out"), (40, "is damaged: 40 of its 120")]
)
def test_damage_that_players_get_past_is_noted(lost: int, sentence: str, tmp_path: Path) -> None:
    """A few frames in the middle are zeros; of a third of all frames, that is too much."""
    path = write_film(tmp_path / "a.mp4", 120, options={"x264-params": "keyint=10:bframes=0"})
    data = bytearray(path.read_bytes())
    with decode.open_clip(path) as (_, stream):
        entries = list(stream.index_entries)[55 : 55 + lost]
    for entry in entries:
        data[entry.pos : entry.pos + entry.size] = bytes(entry.size)
    path.write_bytes(bytes(data))
    if lost > 12:
        for read in (probe, decode_timeline):
            with pytest.raises(BadClip, match=sentence):
                read(path, "a.mp4")
        return
    facts = probe(path, strip=True)
    assert (facts.frames, facts.duration_s) == (120 - lost, pytest.approx(5, rel=0.01))
    assert sentence in facts.note
    assert decode_sample(path, 117).indices[-1] == 116


def test_the_end_of_a_long_film_is_decoded(tmp_path: Path) -> None:
    """Longer than what is decoded as a whole: its frames are counted by their packets."""
    path = write_film(tmp_path / "a.mp4", 120, options={"x264-params": "keyint=10"})
    facts = probe(path, full_frames=30, strip=True)
    assert (facts.frames, facts.duration_s, len(facts.tiles)) == (120, pytest.approx(5), 4)
    data = bytearray(path.read_bytes())
    with decode.open_clip(path) as (_, stream):
        for entry in list(stream.index_entries)[80:]:
            data[entry.pos : entry.pos + entry.size] = bytes(entry.size)
    path.write_bytes(bytes(data))
    with pytest.raises(BadClip, match=r"^a\.mp4 is damaged: nothing can be decoded after 3 s"):
        probe(path, full_frames=30)


def test_nothing_to_show(tmp_path: Path) -> None:
    data = write_film(tmp_path / "a.mp4", muxer={"movflags": "frag_keyframe+empty_moov"}).read_bytes()
    path = tmp_path / "header.mp4"
    path.write_bytes(data[: data.index(b"moof") - 4])
    with pytest.raises(BadClip, match=r"^header\.mp4 "):
        probe(path)
    still = tmp_path / "still.gif"
    Image.new("RGB", (32, 32)).save(still)
    with pytest.raises(BadClip, match="is a single picture"):
        probe(still)


def case(folder: str) -> Path:
    found = next((p / "shared/cases/datasets" / folder for p in ROOT.parents if (p / "shared/cases").is_dir()), None)
    if found is None or not found.is_dir():
        pytest.skip("No ../shared/cases/datasets next to the project: this test reads its small films.")
    return found


CASES = {
    "01/odd/trim_033.mp4": (12, 64, 48, 0.4),
    "01/odd/trim_033.mov": (12, 64, 48, 0.4),
    "01/odd/trim_half.mp4": (62, 64, 48, 2.05),
    "02/odd/cover.mkv": (60, 64, 48, 2.0),
    "02/odd/cover_last.mp4": (60, 64, 48, 2.0),
    "02/odd/two_tracks.mp4": (60, 64, 48, 2.0),
    "02b/odd/udta_first.mp4": (60, 64, 48, 2.0),
    "03/odd/cut_mid.ts": (44, 160, 120, 1.5),
    "03/odd/cut_late.ts": (32, 160, 120, 1.07),
    "04/odd/vfr.mp4": (70, 64, 48, 12.0),
    "04/odd/vfr.webm": (70, 64, 48, 12.0),
    "35/odd/b9bb81fd77d4930a889d17adadf83d95": (50, 64, 48, 2.0),
    "35/odd/a.h264": (50, 64, 48, 2.0),
    "35/odd/video.f4v": (50, 64, 48, 2.0),
    "38/trim/odd/trim_7pct_40s.mp4": (1_200, 64, 48, 40.0),
    "38/flips/odd/o_transpose.mp4": (24, 48, 64, 2.0),
}


@pytest.mark.parametrize("film", sorted(CASES))
def test_the_films_of_the_cases(film: str) -> None:
    path, (frames, width, height, seconds) = case(film.partition("/")[0]).parent / film, CASES[film]
    facts = probe(path, strip=True)
    assert (facts.frames, facts.width, facts.height, facts.codec in {"h264", "vp9"}) == (frames, width, height, True)
    assert facts.duration_s == pytest.approx(seconds, rel=0.03, abs=0.07 if film.startswith("01") else 0)
    for count, fps in ((1, None), (8, None), (32, None), (256, None), (8, 2.0), (16, 0.1)):
        sample = decode_sample(path, count, {"height": 32, "width": 32}, fps=fps)
        assert all(0 <= index < frames for index in sample.indices)
        assert all(0 <= second < facts.duration_s + 0.001 for second in sample.seconds)


@pytest.mark.parametrize(
    ("film", "wanted"),
    [("corners", [0, 1, 2, 3]), ("o_hflip", [1, 0, 3, 2]), ("o_vflip", [2, 3, 0, 1]), ("o_transpose", [0, 2, 1, 3])],
)
def test_the_mirrored_films_of_the_cases(film: str, wanted: list[int], tmp_path: Path) -> None:
    path = case("38/flips") / "odd" / f"{film}.mp4"
    assert corners_of(decode_sample(path, 1).frames[0]) == wanted
    assert corners_of(probe(path, strip=True).tiles[0]) == wanted
    write_preview(path, tmp_path / "copy.mp4")
    assert corners_of(decode_sample(tmp_path / "copy.mp4", 1).frames[0]) == wanted
