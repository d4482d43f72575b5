"""How a card's program picks the frames of a clip: by the very rule that the training used."""

import inspect
from dataclasses import dataclass

from jobs.video.sampling import sample_indices

_RATE = """\
        stream = clip.streams.video[0]
        rate = float(stream.average_rate or stream.guessed_rate or 0)
"""


@dataclass(frozen=True, slots=True)
class Picking:
    """Pieces of a program that has the pictures of a clip in `frames`."""

    rule: str
    """A function between blank lines, to stand before the clips are read; empty where one line says it all."""
    rate: str
    """Lines inside `with av.open(path) as clip:`."""
    seen: str
    """The expression of the list of frames that the model is shown."""


def picking(count: str | int, fps: float | None) -> Picking:
    """`count`: the number of frames, or the program's name for it."""
    if not fps:
        return Picking("", "", f"[frames[int((i + 0.5) * len(frames) / {count})] for i in range({count})]")
    rule = f"\n{inspect.getsource(sample_indices)}\n"
    return Picking(rule, _RATE, f"[frames[i] for i in sample_indices(len(frames), {count}, rate, {fps:g})]")
