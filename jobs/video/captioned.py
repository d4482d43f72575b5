"""Draws captioned clips that look alike and differ in motion, so that a retriever cannot rank them by one frame."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jobs.video.shapes import COLOURS, SHAPES, Array, Scene, render
from jobs.video.synthetic import HEIGHT, MOTION_TRACKS, WIDTH, Tracks, static_tracks

MOTION_PHRASES: dict[str, tuple[str, ...]] = {
    "approaching": ("comes closer", "zooms in", "swells until it is near"),
    "blinking": ("blinks on and off", "flashes", "is lit again and again"),
    "bouncing": ("bounces up and down", "bounces like a ball", "hops on the spot"),
    "circling": ("goes round in circles", "circles", "runs in a loop"),
    "jumping": ("jumps from place to place", "turns up somewhere else each time", "leaps about"),
    "receding": ("shrinks into the distance", "zooms out", "backs away"),
    "swinging": ("swings from side to side", "sways like a pendulum", "rocks back and forth"),
    "zigzagging": ("zigzags across the picture", "runs in a zigzag", "weaves its way across"),
}
"""Motion -> phrases for it."""
MOTIONS = tuple(MOTION_PHRASES)


def _swinging(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    phase = 2 * np.pi * (rng.uniform(0, 1) + rng.uniform(1.3, 1.8) * t)
    tracks["x"] = (rng.uniform(0.44, 0.56) + rng.uniform(0.22, 0.32) * np.sin(phase)).astype(np.float32)
    return tracks


def _zigzagging(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    position = t if rng.random() < 0.5 else 1 - t
    triangle_wave = np.abs(((rng.uniform(0, 1) + rng.uniform(1.4, 1.9) * t) % 1) * 2 - 1)
    tracks["x"] = (0.14 + 0.72 * position).astype(np.float32)
    tracks["y"] = (rng.uniform(0.26, 0.3) + rng.uniform(0.38, 0.46) * triangle_wave).astype(np.float32)
    return tracks


def _jumping(rng: np.random.Generator, t: Array) -> Tracks:
    tracks = static_tracks(rng, t.size)
    stops = int(rng.integers(4, 6))
    cells = rng.permutation(9)[:stops]
    at = np.minimum((t * stops).astype(int), stops - 1)
    tracks["x"] = (0.2 + 0.3 * (cells[at] % 3) + rng.uniform(-0.05, 0.05, stops)[at]).astype(np.float32)
    tracks["y"] = (0.22 + 0.28 * (cells[at] // 3) + rng.uniform(-0.04, 0.04, stops)[at]).astype(np.float32)
    return tracks


def _approaching(towards: bool) -> Callable[[np.random.Generator, Array], Tracks]:
    def move(rng: np.random.Generator, t: Array) -> Tracks:
        tracks = static_tracks(rng, t.size)
        small, large = rng.uniform(0.06, 0.1), rng.uniform(0.26, 0.36)
        nearness = t if towards else 1 - t
        tracks["radius"] = (small + (large - small) * nearness ** rng.uniform(0.8, 1.4)).astype(np.float32)
        return tracks

    return move


_MOVES: dict[str, Callable[[np.random.Generator, Array], Tracks]] = {
    "approaching": _approaching(True), "blinking": MOTION_TRACKS["blinking"], "bouncing": MOTION_TRACKS["bouncing"],
    "circling": MOTION_TRACKS["circling"], "jumping": _jumping, "receding": _approaching(False), "swinging": _swinging,
    "zigzagging": _zigzagging,
}  # fmt: skip


def caption(rng: np.random.Generator, motion: str, colour: str, shape: str) -> str:
    """A sentence for such a clip, as "the teal ring sways like a pendulum"."""
    phrase = MOTION_PHRASES[motion][int(rng.integers(len(MOTION_PHRASES[motion])))]
    return f"{('a', 'the')[int(rng.integers(2))]} {colour} {shape} {phrase}"


def captioned_frames(motion: str, colour: str, shape: str, seed: int) -> tuple[NDArray[np.uint8], str]:
    """One clip of about two seconds as (T, 120, 160, 3) bytes, and its caption."""
    rng = np.random.default_rng([MOTIONS.index(motion), seed])
    t = np.linspace(0, 1, int(rng.integers(18, 25)), dtype=np.float32)
    tracks = _MOVES[motion](rng, t)
    tint = np.array(COLOURS[colour], np.float32) / 255
    dark = np.array([[0.075, 0.08, 0.105]], np.float32) + rng.uniform(-0.02, 0.03, (2, 3)).astype(np.float32)
    spin = rng.uniform(-0.2, 0.2) + rng.uniform(-0.5, 0.5) * t
    scene = Scene(
        shape=np.array([SHAPES.index(shape)]), colour=tint[None], ground=dark[None].clip(0, 1),
        angle=spin[None].astype(np.float32), aspect=np.array([WIDTH / HEIGHT], np.float32),
        glow=np.array([0.16], np.float32), **{name: track[None] for name, track in tracks.items()},
    )  # fmt: skip
    text = caption(rng, motion, colour, shape)
    return (render(scene, WIDTH, HEIGHT)[0].clip(0, 1) * 255).astype(np.uint8), text
