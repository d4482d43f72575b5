"""Invents the clips that the built-in bases are trained on: a shape drifts, wanders, grows or fades; all is known.

None of the demo dataset's motions (circling, bouncing, zooming, blinking) is a class here; the only motion classes are
the eight directions of a drift.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.video.shapes import COLOURS, SHAPES, Array, Scene

DIRECTIONS = ("right", "up right", "up", "up left", "left", "down left", "down", "down right")
NO_DIRECTION = -100
"""The label of a clip without one direction; cross entropy skips it."""


@dataclass(frozen=True)
class GroundTruth:
    """What was drawn.

    Attributes:
        direction, colour, shape: (B,) class labels.
        frames: (B, T, 4) x, y, radius, alpha.
        sums: (B, 5) over the clip, see `_sums`.
        roams: (B,) True where both coordinates oscillate.
    """

    direction: NDArray[np.int64]
    colour: NDArray[np.int64]
    shape: NDArray[np.int64]
    frames: Array
    sums: Array
    roams: NDArray[np.bool_]


def _bends(rng: np.random.Generator, count: int, frames: int, low: float, high: float) -> Array:
    """(count, frames) piecewise linear curves through 2 to 5 random values."""
    out = np.empty((count, frames), np.float32)
    at = np.linspace(0, 1, frames)
    for row in range(count):
        knots = int(rng.integers(2, 6))
        inner = np.sort(rng.random(knots - 2))
        out[row] = np.interp(at, [0.0, *inner, 1.0], rng.uniform(low, high, knots))
    return out


def _drift(rng: np.random.Generator, count: int, frames: int) -> tuple[Array, Array, NDArray[np.int64]]:
    """Curved paths in one of eight directions that stay in the frame: x, y, direction."""
    direction = rng.integers(0, 8, count)
    heading = (direction * 45 + rng.uniform(-14, 14, count)) * np.pi / 180
    length = rng.uniform(0.25, 0.75, count)
    ease = rng.uniform(0.6, 1.7, count)[:, None]
    t = np.linspace(0, 1, frames)[None, :] ** ease
    bow = (rng.uniform(-0.3, 0.3, count) * length)[:, None] * (4 * t * (1 - t)) / 2
    along = (t - 0.5) * length[:, None]
    cos, sin = np.cos(heading)[:, None], np.sin(heading)[:, None]
    x, y = along * cos - bow * sin, -(along * sin + bow * cos)
    room_x, room_y = 0.42 - np.abs(x).max(1), 0.42 - np.abs(y).max(1)
    x = x + 0.5 + (rng.uniform(-1, 1, count) * np.maximum(room_x, 0))[:, None]
    y = y + 0.5 + (rng.uniform(-1, 1, count) * np.maximum(room_y, 0))[:, None]
    return x.astype(np.float32), y.astype(np.float32), direction


def _paths(rng: np.random.Generator, count: int, frames: int) -> tuple[Array, Array, NDArray[np.int64]]:
    """Half of the clips drift; the others wander, or move along one coordinate only, or stay."""
    x, y, direction = _drift(rng, count, frames)
    kind = rng.random(count)
    wander = kind > 0.5
    wx, wy = _bends(rng, count, frames, 0.14, 0.86), _bends(rng, count, frames, 0.14, 0.86)
    x[wander], y[wander] = wx[wander], wy[wander]
    still = kind > 0.86
    x[still] = wx[still, :1]
    still_y = kind > 0.90
    y[still_y] = wy[still_y, :1]
    direction = np.where(wander, NO_DIRECTION, direction)
    return x, y, direction


def _roam(rng: np.random.Generator, count: int, frames: int) -> tuple[Array, Array]:
    """Paths on which x and y oscillate at different rates; at the same rate they would be circles."""
    pace = rng.uniform(0.5, 2.6, (2, count, 1))
    alike = np.abs(np.log(pace[1] / pace[0])) < 0.25
    pace[1] = np.where(alike, np.where(pace[0] > 1.3, pace[0] / 1.6, pace[0] * 1.6), pace[1])
    t = np.linspace(0, 1, frames)
    swing = rng.uniform(0.04, 0.3, (2, count, 1)) * np.sin(2 * np.pi * (pace * t + rng.random((2, count, 1))))
    swing += rng.uniform(-0.2, 0.2, (2, count, 1)) * (t - 0.5)
    swing -= (swing.max(2, keepdims=True) + swing.min(2, keepdims=True)) / 2
    room = np.maximum(0.42 - swing.max(2, keepdims=True), 0)
    x, y = (0.5 + swing + rng.uniform(-1, 1, (2, count, 1)) * room).astype(np.float32)
    return x, y


def _pulse(rng: np.random.Generator, count: int, frames: int) -> Array:
    """Alpha: 1 for half of the clips, else a piecewise linear curve, or off and on at random frames."""
    alpha = np.ones((count, frames), np.float32)
    kind = rng.random(count)
    bends = (kind > 0.5) & (kind <= 0.75)
    alpha[bends] = _bends(rng, int(bends.sum()), frames, 0.0, 1.0)
    gaps = kind > 0.75
    off = rng.random((count, frames)) < rng.uniform(0.1, 0.5, count)[:, None]
    alpha[gaps] = np.where(off[gaps], rng.uniform(0, 0.3, count)[gaps][:, None], 1.0)
    return alpha


def _ground(rng: np.random.Generator, count: int) -> Array:
    """Colours of the background: mostly dark, some of any dim colour."""
    dark = rng.uniform(0.02, 0.16, (count, 1, 1)) + rng.uniform(-0.02, 0.04, (count, 2, 3))
    dim = rng.uniform(0.0, 0.4, (count, 2, 3))
    return np.where(rng.random((count, 1, 1)) < 0.65, dark, dim).clip(0, 1).astype(np.float32)


def _radius(rng: np.random.Generator, count: int, frames: int) -> Array:
    base = rng.uniform(0.08, 0.22, (count, 1)).astype(np.float32)
    changes = rng.random((count, 1)) < 0.5
    return np.where(changes, base * _bends(rng, count, frames, 0.45, 1.9), base).clip(0.05, 0.38).astype(np.float32)


def _sums(frames: Array) -> Array:
    """(B, 5): path length, distance of start and end, signed turning area, range of radius, sum of alpha's changes."""
    x, y, radius, alpha = (frames[..., i] for i in range(4))
    dx, dy = np.diff(x, axis=1), np.diff(y, axis=1)
    path = np.sqrt(dx**2 + dy**2).sum(1)
    net = np.sqrt((x[:, -1] - x[:, 0]) ** 2 + (y[:, -1] - y[:, 0]) ** 2)
    area = 4 * (dx[:, :-1] * dy[:, 1:] - dy[:, :-1] * dx[:, 1:]).sum(1)
    change = 4 * (radius.max(1) - radius.min(1))
    flicker = np.abs(np.diff(alpha, axis=1)).sum(1) / 3
    return np.stack([path, net, area, change, flicker], axis=1).astype(np.float32)


def generate_clips(
    rng: np.random.Generator, count: int, frames: int, roaming: float = 0.0
) -> tuple[Scene, GroundTruth]:
    """Invents `count` random clips; the same generator state gives the same clips.

    Args:
        roaming: the share in which both coordinates oscillate; the others drift, wander or stay.
    """
    x, y, direction = _paths(rng, count, frames)
    roams = np.zeros(count, bool)
    if roaming:
        roams = rng.random(count) < roaming
        x[roams], y[roams] = _roam(rng, int(roams.sum()), frames)
        direction = np.where(roams, NO_DIRECTION, direction)
    radius, alpha = _radius(rng, count, frames), _pulse(rng, count, frames)
    shape, colour = rng.integers(0, len(SHAPES), count), rng.integers(0, len(COLOURS), count)
    palette = np.array(list(COLOURS.values()), np.float32) / 255
    tint = (palette[colour] + rng.normal(0, 0.025, (count, 3))).clip(0, 1).astype(np.float32)
    spin = rng.uniform(-0.5, 0.5, (count, 1)) + np.where(
        rng.random((count, 1)) < 0.3, rng.uniform(-1.5, 1.5, (count, 1)) * np.linspace(0, 1, frames), 0
    )
    scene = Scene(
        shape=shape, colour=tint, ground=_ground(rng, count), x=x, y=y, radius=radius,
        angle=spin.astype(np.float32), alpha=alpha,
        aspect=rng.uniform(0.75, 1.6, count).astype(np.float32),
        glow=(rng.uniform(0, 0.25, count) * (rng.random(count) < 0.5)).astype(np.float32),
    )  # fmt: skip
    numbers = np.stack([x, y, radius, alpha], axis=-1)
    return scene, GroundTruth(direction, colour, shape, numbers, _sums(numbers), roams)


def add_noise(rng: np.random.Generator, clips: Array) -> NDArray[np.uint8]:
    """Adds noise, blocks of 8 pixels and a change of light, as cameras and codecs do; (B, T, H, W, 3) to bytes."""
    count = clips.shape[0]
    shape = (count, 1, 1, 1, 1)
    gain = rng.uniform(0.85, 1.1, shape).astype(np.float32)
    sigma = (rng.uniform(0, 0.04, shape) * (rng.random(shape) < 0.7)).astype(np.float32)
    noise = rng.standard_normal(clips.shape, dtype=np.float32) * sigma
    blocks = rng.standard_normal((count, clips.shape[1], clips.shape[2] // 8, clips.shape[3] // 8, 1), dtype=np.float32)
    noise += np.kron(blocks, np.ones((1, 1, 8, 8, 1), np.float32)) * sigma * 0.3
    return ((clips * gain + noise).clip(0, 1) * 255).astype(np.uint8)
