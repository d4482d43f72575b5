"""Makes the demo dataset: short clips of a shape that circles, bounces, zooms or blinks, the same for the same seed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from jobs.video.shapes import COLOURS, SHAPES, Array, Scene, render

WIDTH, HEIGHT = 160, 120
FPS = 10
DEMO_SEED = 4242
MOTIONS = ("blinking", "bouncing", "circling", "zooming")
Tracks = dict[str, Array]


def write_mp4(path: Path, frames: NDArray[np.uint8], fps: int = FPS) -> Path:
    """Encodes (T, H, W, 3) RGB bytes as H.264 (MPEG-4 where that codec is missing) and replaces `path` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = cast(VideoStream, container.add_stream(_codec(), rate=fps))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.thread_count = 1
        if stream.codec_context.name.startswith("libx264"):
            stream.options = {"crf": "20", "preset": "superfast"}
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())
    os.replace(part, path)
    return path


def _codec() -> str:
    for name in ("libx264", "mpeg4"):
        if name in av.codecs_available:
            return name
    raise RuntimeError("This build of PyAV has no video encoder.")


def static_tracks(rng: np.random.Generator, frames: int) -> Tracks:
    """A shape that does not move; every motion changes some of these tracks."""
    ones = np.ones(frames, np.float32)
    return {
        "x": ones * np.float32(rng.uniform(0.3, 0.7)),
        "y": ones * np.float32(rng.uniform(0.34, 0.66)),
        "radius": ones * np.float32(rng.uniform(0.11, 0.19)),
        "alpha": ones.copy(),
    }


def _circling(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    phase = rng.uniform(0, 2 * np.pi) + rng.choice([-1, 1]) * 2 * np.pi * rng.uniform(0.9, 1.4) * t
    radius = rng.uniform(0.2, 0.28)
    tracks["x"] = (rng.uniform(0.42, 0.58) + 0.8 * radius * np.cos(phase)).astype(np.float32)
    tracks["y"] = (rng.uniform(0.45, 0.55) + radius * np.sin(phase)).astype(np.float32)
    return tracks


def _bouncing(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    phase = (rng.uniform(0, 1) + rng.uniform(1.6, 2.4) * t) % 1
    height = rng.uniform(0.38, 0.52)
    tracks["y"] = (rng.uniform(0.76, 0.84) - height * 4 * phase * (1 - phase)).astype(np.float32)
    drift = rng.choice([-1, 1]) * rng.uniform(0.0, 0.16)
    tracks["x"] = (rng.uniform(0.38, 0.62) + drift * (t - 0.5)).astype(np.float32)
    return tracks


def _zooming(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    small, large = rng.uniform(0.06, 0.1), rng.uniform(0.24, 0.34)
    nearness = t if rng.random() < 0.5 else 1 - t
    tracks["radius"] = (small + (large - small) * nearness ** rng.uniform(0.8, 1.4)).astype(np.float32)
    return tracks


def _blinking(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    on = ((rng.uniform(0, 1) + rng.uniform(1.7, 2.6) * t) % 1) < rng.uniform(0.45, 0.6)
    tracks["alpha"] = np.where(on, 1.0, rng.uniform(0.0, 0.06)).astype(np.float32)
    return tracks


MOTION_TRACKS: dict[str, Callable[[np.random.Generator, Array], Tracks]] = {
    "blinking": _blinking, "bouncing": _bouncing, "circling": _circling, "zooming": _zooming,
}  # fmt: skip


CAPTION_WORDS: dict[str, str] = {
    "orange": "amber", "blue": "azure", "green": "emerald", "red": "crimson", "yellow": "golden", "purple": "violet",
    "teal": "turquoise", "white": "ivory", "circle": "disc", "square": "box", "triangle": "wedge", "ring": "hoop",
    "cross": "plus", "bar": "rod", "blinking": "flashes", "bouncing": "hops", "circling": "orbits", "zooming": "looms",
}  # fmt: skip
"""The words of the demo's captions, none of which the built-in captioner knows."""


def demo_frames(motion: str, seed: int) -> NDArray[np.uint8]:
    """One demo clip of about two seconds as (T, 120, 160, 3) bytes."""
    return demo_clip(motion, seed)[0]


def demo_clip(motion: str, seed: int) -> tuple[NDArray[np.uint8], str]:
    """The clip and its caption: "Look! The amber disc hops."."""
    rng = np.random.default_rng([MOTIONS.index(motion), seed])
    count = int(rng.integers(18, 25))
    t = np.linspace(0, 1, count, dtype=np.float32)
    tracks = MOTION_TRACKS[motion](rng, t)
    tint = int(rng.integers(len(COLOURS)))
    colour = np.array(list(COLOURS.values())[tint], np.float32) / 255
    dark = np.array([[0.075, 0.08, 0.105]], np.float32) + rng.uniform(-0.02, 0.03, (2, 3)).astype(np.float32)
    spin = rng.uniform(-0.2, 0.2) + rng.uniform(-0.5, 0.5) * t
    scene = Scene(
        shape=rng.integers(len(SHAPES), size=1), colour=colour[None], ground=dark[None].clip(0, 1),
        angle=spin[None].astype(np.float32), aspect=np.array([WIDTH / HEIGHT], np.float32),
        glow=np.array([0.16], np.float32), **{name: track[None] for name, track in tracks.items()},
    )  # fmt: skip
    words = (list(COLOURS)[tint], SHAPES[int(scene.shape[0])], motion)
    caption = "Look! The " + " ".join(CAPTION_WORDS[word] for word in words) + "."
    return (render(scene, WIDTH, HEIGHT)[0].clip(0, 1) * 255).astype(np.uint8), caption


def make_demo_dataset(
    folder: Path,
    clips_per_class: int = 60,
    seed: int = DEMO_SEED,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Path, str]:
    """Writes `folder/{motion}/{motion}_{nnn}.mp4`; calls `progress(done, total)` after each clip.

    Returns:
        The caption of each file.
    """
    total = clips_per_class * len(MOTIONS)
    captions: dict[Path, str] = {}
    for number in range(clips_per_class):
        for motion in MOTIONS:
            path = folder / motion / f"{motion}_{number + 1:03d}.mp4"
            frames, captions[path] = demo_clip(motion, seed * 100_003 + number)
            write_mp4(path, frames)
            if progress:
                progress(len(captions), total)
    return captions
