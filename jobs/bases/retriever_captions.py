"""Captions of invented clips for the retriever, and which other clips of a batch each caption fits too.

The words are places, sizes, speeds and the eight directions of a drift. None of the demo datasets' motions (circling,
bouncing, blinking, coming closer, hopping ...) is ever mentioned, so that a fine-tuning has something new to learn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.bases.motion import NO_DIRECTION, GroundTruth
from jobs.video.shapes import COLOURS, SHAPES

_DIRECTIONS = (
    ("to the right", "right", "rightwards"),
    ("up and to the right", "towards the top right", "right and up"),
    ("up", "upwards", "to the top"),
    ("up and to the left", "towards the top left", "left and up"),
    ("to the left", "left", "leftwards"),
    ("down and to the left", "towards the bottom left", "left and down"),
    ("down", "downwards", "to the bottom"),
    ("down and to the right", "towards the bottom right", "right and down"),
)
_PLACES = ("top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right")
_DRIFTS = ("moves", "drifts", "slides", "travels", "goes", "is moving", "is drifting", "glides")
_STAYS = ("stays where it is", "does not move", "rests", "stands still", "is still")
_WANDERS = ("wanders", "roams about", "takes a winding way", "strays", "is wandering")
_SPEEDS = (("slowly", "a little", "at a slow pace"), ("",), ("fast", "quickly", "far", "at high speed"))
_SIZES = (("small", "little", "tiny"), ("",), ("large", "big", "huge"))
_COLOUR_WORDS = {"teal": ("teal", "turquoise"), "purple": ("purple", "violet"), "white": ("white", "bright")}
_SHAPE_WORDS = {
    "circle": ("circle", "disc", "dot"), "square": ("square", "box"), "triangle": ("triangle",),
    "ring": ("ring", "hoop"), "cross": ("cross", "plus"), "bar": ("bar", "stick"),
}  # fmt: skip
STILL = 0.03
"""Paths shorter than this share of the frame's height count as no motion."""


@dataclass(frozen=True)
class Facts:
    """What a caption can mention of B clips, as (B,) indices; `motion` is a direction 0..7, 8 still, 9 wandering."""

    colour: NDArray[np.int64]
    shape: NDArray[np.int64]
    motion: NDArray[np.int64]
    speed: NDArray[np.int64]
    size: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def _grid_cell(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.int64]:
    column, row = np.digitize(x, (0.4, 0.6)), np.digitize(y, (0.4, 0.6))
    return (row * 3 + column).astype(np.int64)


def facts_of(truth: GroundTruth) -> Facts:
    """The facts of clips, from the numbers they were drawn with."""
    x, y, radius = (truth.frames[..., i] for i in range(3))
    path = truth.sums[:, 0]
    motion = np.where(truth.direction != NO_DIRECTION, truth.direction, np.where(path < STILL, 8, 9))
    return Facts(
        truth.colour, truth.shape, motion.astype(np.int64), np.digitize(path, (0.4, 0.6)).astype(np.int64),
        np.digitize(radius.mean(1), (0.11, 0.18)).astype(np.int64),
        _grid_cell(x[:, 0], y[:, 0]), _grid_cell(x[:, -1], y[:, -1]),
    )  # fmt: skip


def describe(rng: np.random.Generator, facts: Facts) -> tuple[list[str], NDArray[np.bool_]]:
    """A caption for each of B clips, and (B, B): True where caption i fits clip j too, or j's fits i."""
    count = facts.colour.size
    mentioned = {name: rng.random(count) < share for name, share in
            (("size", 0.4), ("speed", 0.4), ("start", 0.35), ("end", 0.35))}  # fmt: skip
    sentences = [_sentence(rng, facts, row, {name: bool(chosen[row]) for name, chosen in mentioned.items()})
                 for row in range(count)]  # fmt: skip
    fits = np.ones((count, count), bool)
    for name in ("colour", "shape", "motion", "size", "speed", "start", "end"):
        values = getattr(facts, name)
        same = values[:, None] == values[None, :]
        if name in mentioned:
            same |= ~mentioned[name][:, None]
        fits &= same
    return sentences, fits | fits.T


def _sentence(rng: np.random.Generator, facts: Facts, row: int, mentioned: dict[str, bool]) -> str:
    def one(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    colour, shape = list(COLOURS)[facts.colour[row]], SHAPES[facts.shape[row]]
    subject = [one(("a", "a", "the", "one")), one(_SIZES[facts.size[row]]) if mentioned["size"] else "",
             one(_COLOUR_WORDS.get(colour, (colour,))), one(_SHAPE_WORDS[shape])]  # fmt: skip
    motion = int(facts.motion[row])
    predicate = (
        [one(_STAYS)] if motion == 8 else [one(_WANDERS)] if motion == 9 else [one(_DRIFTS), one(_DIRECTIONS[motion])]
    )
    if mentioned["speed"] and motion < 8:
        predicate.append(one(_SPEEDS[facts.speed[row]]))
    start, end = _PLACES[facts.start[row]], _PLACES[facts.end[row]]
    if mentioned["start"]:
        predicate.append(f"{one(('from', 'starting at'))} the {start}" if motion != 8 else f"at the {start}")
    if mentioned["end"] and motion != 8:
        predicate.append(f"{one(('towards', 'ending at'))} the {end}")
    return " ".join(word for word in (*subject, *predicate) if word)
