"""Real files: whole ones give their facts and frames, broken ones a sentence with their name."""

from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from jobs.video.decode import decode_sample
from jobs.video.inspect import inspect_clip
from jobs.video.probe import probe
from jobs.video.sampling import sample_indices
from jobs.video.source import BadClip
from jobs.video.synthetic import demo_frames, make_demo_dataset, write_mp4
from jobs.video.thumbnail import tile_of


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mp4(tmp_path_factory.mktemp("clips") / "circle.mp4", demo_frames("circling", 3))


def test_probe_counts_what_is_there(clip: Path) -> None:
    facts = probe(clip)
    assert facts.frames == len(demo_frames("circling", 3))
    assert (facts.width, facts.height, facts.fps) == (160, 120, 10.0)
    assert facts.duration_s == pytest.approx(facts.frames / 10)


def test_frames_are_the_sampled_ones(clip: Path) -> None:
    drawn = demo_frames("circling", 3)
    frames = decode_sample(clip, 8).frames
    wanted = drawn[sample_indices(len(drawn), 8)]
    assert frames.shape == (8, 120, 160, 3)
    assert np.abs(frames.astype(int) - wanted).mean() < 4


def test_frames_equal_a_plain_decode_and_pillow(clip: Path) -> None:
    with av.open(str(clip)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    wanted = [Image.fromarray(plain[i]).resize((48, 48), 2) for i in sample_indices(len(plain), 8)]
    frames = decode_sample(clip, 8, {"height": 48, "width": 48}).frames
    assert np.array_equal(frames, np.stack([np.asarray(w) for w in wanted]))


def test_crop_takes_the_middle(clip: Path) -> None:
    whole = decode_sample(clip, 2, {"shortest_edge": 60}).frames
    assert np.array_equal(decode_sample(clip, 2, {"shortest_edge": 60}, (60, 60)).frames, whole[:, :, 10:70])


def test_truncated_says_so(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(BadClip, match=r"^cut\.mp4 "):
        probe(cut)
    with pytest.raises(BadClip, match=r"^cut\.mp4 is cut off: 12 of its 24 frames"):
        decode_sample(cut, 8)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b"hello there, this is text\n" * 50, "is not a video"), (b"\x00" * 4096, "is not a video")],
)
def test_not_a_video(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(BadClip, match=sentence):
        probe(path)


def test_a_picture_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.new("RGB", (32, 32)).save(path)
    with pytest.raises(BadClip, match="single picture"):
        probe(path)


def test_sound_only(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(BadClip, match="sound only"):
        probe(path)


def test_playlist_fetches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n")
    with pytest.raises(BadClip):
        probe(path)


def test_playlist_reads_no_other_file(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text(f"ffconcat version 1.0\nfile '{clip}'\n")
    with pytest.raises(BadClip):
        probe(path)


def test_film_strip(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "thumbs" / "a.jpg"
    facts = inspect_clip(clip, "a.mp4", out)
    assert (facts.problem, facts.frames) == ("", len(demo_frames("circling", 3)))
    assert [p.name for p in out.parent.iterdir()] == ["a.jpg"]
    with Image.open(out) as strip:
        assert strip.size == (640, 120)
        shown = np.asarray(strip).astype(int)
    wanted = demo_frames("circling", 3)[sample_indices(facts.frames, 4)]
    assert np.abs(shown - np.concatenate(list(wanted), axis=1)).mean() < 4


def test_what_was_looked_at_before_leaves_no_trace_in_a_strip(clip: Path, tmp_path: Path) -> None:
    large = write_mp4(tmp_path / "large.mp4", demo_frames("bouncing", 1).repeat(2, 1).repeat(2, 2))
    ranged = tmp_path / "ranged.mp4"  # as large as the first, with its colours in another space and range
    with av.open(str(clip)) as source, av.open(str(ranged), "w") as container:
        stream = cast(VideoStream, container.add_stream("libx264", rate=10))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = Colorspace.ITU709, ColorRange.JPEG
        for frame in source.decode(video=0):
            container.mux(stream.encode(frame.reformat(dst_colorspace="ITU709", dst_color_range="JPEG")))
        container.mux(stream.encode())
    scaler = VideoReformatter()
    for number, path in enumerate((clip, ranged, large, clip)):
        alone, after = tmp_path / f"{number}-alone.jpg", tmp_path / f"{number}-after.jpg"
        assert inspect_clip(path, path.name, alone) == inspect_clip(path, path.name, after, scaler)
        assert alone.read_bytes() == after.read_bytes(), path.name


def test_a_picture_far_longer_than_high_is_cut_first() -> None:
    tile = tile_of(np.full((2, 16_000, 3), 90, np.uint8))
    assert tile.shape == (120, 160, 3)
    assert np.abs(tile.astype(int) - 90).max() <= 2


def test_demo_dataset_is_the_same_twice(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    first = make_demo_dataset(tmp_path / "a", 2, progress=lambda done, total: seen.append((done, total)))
    second = make_demo_dataset(tmp_path / "b", 2)
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert seen[-1] == (8, 8)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["blinking", "bouncing", "circling", "zooming"]
