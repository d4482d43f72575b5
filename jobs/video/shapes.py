"""Draws a coloured shape frame by frame from numbers, which are the ground truth of every synthetic clip."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

SHAPES = ("circle", "square", "triangle", "ring", "cross", "bar")
COLOURS: dict[str, tuple[int, int, int]] = {
    "orange": (245, 145, 60),
    "blue": (70, 130, 235),
    "green": (70, 180, 115),
    "red": (225, 70, 75),
    "yellow": (235, 205, 75),
    "purple": (150, 95, 215),
    "teal": (60, 190, 200),
    "white": (235, 235, 230),
}


@dataclass(frozen=True)
class Scene:
    """B clips of T frames with one shape each; positions in 0..1, radius as a share of the frame's height.

    Attributes:
        shape: (B,) index into `SHAPES`.
        colour: (B, 3) in 0..1.
        ground: (B, 2, 3) colours of the top left and the bottom right corner, in 0..1.
        x, y, radius, angle, alpha: (B, T); angle in radians, alpha 0 (invisible) to 1 (opaque).
        aspect: (B,) width divided by height of the scene that is scaled to the frame.
        glow: (B,) strength of the soft light around the shape.
    """

    shape: NDArray[np.int64]
    colour: Array
    ground: Array
    x: Array
    y: Array
    radius: Array
    angle: Array
    alpha: Array
    aspect: Array
    glow: Array


def _box(px: Array, py: Array, half_w: Array, half_h: Array) -> Array:
    return np.maximum(np.abs(px) - half_w, np.abs(py) - half_h)


def _triangle(px: Array, py: Array, r: Array) -> Array:
    slope = np.float32(np.sqrt(3) / 2)
    sides = np.maximum(slope * px - 0.5 * py, -slope * px - 0.5 * py)
    return np.maximum(sides, py) - 0.55 * r


_DISTANCE: dict[str, Callable[[Array, Array, Array], Array]] = {
    "circle": lambda px, py, r: np.sqrt(px * px + py * py) - r,
    "square": lambda px, py, r: _box(px, py, 0.86 * r, 0.86 * r),
    "triangle": _triangle,
    "ring": lambda px, py, r: np.abs(np.sqrt(px * px + py * py) - 0.76 * r) - 0.24 * r,
    "cross": lambda px, py, r: np.minimum(_box(px, py, 0.33 * r, r), _box(px, py, r, 0.33 * r)),
    "bar": lambda px, py, r: _box(px, py, r, 0.36 * r),
}


def _ground(scene: Scene, u: Array, v: Array) -> Array:
    """(B, H, W, 3): a gradient from the first ground colour to the second."""
    mix = ((u + v) / 2)[None, :, :, None]
    first, second = scene.ground[:, 0][:, None, None, :], scene.ground[:, 1][:, None, None, :]
    return first + (second - first) * mix


def render(scene: Scene, width: int, height: int) -> Array:
    """Draws `scene` as (B, T, height, width, 3) floats in 0..1, edges smoothed over one pixel."""
    u = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
    v = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    ground = _ground(scene, u, v)
    out = np.repeat(ground[:, None], scene.x.shape[1], axis=1)
    for index, name in enumerate(SHAPES):
        rows = np.flatnonzero(scene.shape == index)
        if rows.size == 0:
            continue
        at = (slice(None), slice(None), None, None)
        dx = (u - scene.x[rows][at]) * scene.aspect[rows][:, None, None, None]
        dy = v - scene.y[rows][at]
        cos, sin = np.cos(scene.angle[rows])[at], np.sin(scene.angle[rows])[at]
        distance = _DISTANCE[name](cos * dx + sin * dy, cos * dy - sin * dx, scene.radius[rows][at])
        cover = np.clip(0.5 - distance * height, 0, 1)
        light = scene.glow[rows][:, None, None, None] * np.exp(-np.maximum(distance, 0) * 14)
        weight = (np.maximum(cover, light) * scene.alpha[rows][at])[..., None]
        out[rows] += weight * (scene.colour[rows][:, None, None, None, :] - out[rows])
    return out
