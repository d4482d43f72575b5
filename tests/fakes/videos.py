"""Makes small real video files and zips for the tests: cuts of a source video, drawn clips, and broken ones."""

import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType


def draw_clip(path: Path, frames: int = 16, size: int = 64, shade: int = 0, dx: int = 2) -> Path:
    """Writes an mp4 of a square that moves `dx` pixels a frame on a flat ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = size, size, "yuv420p"
        for i in range(frames):
            picture = np.full((size, size, 3), 30 + shade, dtype=np.uint8)
            left = (4 + i * dx) % (size - 16)
            picture[24:40, left : left + 16] = (240, 160, 60)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def cut_video(source: Path, folder: Path, segments: int = 12, width: int = 112) -> list[Path]:
    """Cuts a video into `segments` clips of equal length, scaled down, as mp4 files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        rate = round(float(stream.average_rate or 24))
        height = 2 * round(stream.height * width / stream.width / 2)
        pictures = [f.reformat(width, height, "yuv420p") for f in container.decode(stream)]
    share = len(pictures) // segments
    paths = []
    for i in range(segments):
        path = folder / f"{source.stem}-{i:02d}.mp4"
        _write(path, pictures[i * share : (i + 1) * share], rate)
        paths.append(path)
    return paths


def _write(path: Path, pictures: list[av.VideoFrame], rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, "yuv420p"
        for i, picture in enumerate(pictures):
            picture.pts, picture.time_base = i, Fraction(1, rate)
            picture.pict_type = PictureType.NONE
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def class_folders(root: Path, classes: dict[str, int]) -> Path:
    """Draws `classes[name]` clips in a folder `name` each; every clip differs."""
    for index, (name, count) in enumerate(classes.items()):
        for i in range(count):
            draw_clip(root / name / f"{name}-{i:02d}.mp4", shade=(i * 7) % 120, dx=1 + index)
    return root


def zip_folder(folder: Path, target: Path) -> Path:
    """Zips a folder with paths relative to it."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def zip_entries(target: Path, entries: dict[str, bytes]) -> Path:
    """Zips bytes under the given names as they are, `../` included."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return target


def bomb(target: Path, megabytes: int = 200) -> Path:
    """A small zip that unpacks to `megabytes` of zeros."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for label in ("a", "b"):
            archive.writestr(f"{label}/zeros.mp4", bytes(megabytes // 2 * 2**20))
    return target


def truncated(path: Path) -> bytes:
    """The first half of a video file: its index is gone."""
    data = path.read_bytes()
    return data[: len(data) // 2]


def mpeg4(path: Path, shade: int = 0) -> Path:
    """A clip in a codec that no browser plays."""
    drawn = draw_clip(path.with_suffix(".drawn.mp4"), shade=shade)
    with av.open(str(path), "w") as out, av.open(str(drawn)) as source:
        film = out.add_stream("mpeg4", rate=8)
        film.width, film.height, film.pix_fmt = 64, 64, "yuv420p"
        for frame in source.decode(video=0):
            frame.pict_type = PictureType.NONE
            out.mux(film.encode(frame))
        out.mux(film.encode())
    drawn.unlink()
    return path
