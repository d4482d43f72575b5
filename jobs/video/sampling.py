"""Which frames of a clip a model sees, and at which size: arithmetic only, no file is opened."""

from bisect import bisect_right
from collections.abc import Sequence


def sample_indices(
    total: int, count: int, native_fps: float = 0.0, fps: float | None = None, place: float = 0.5
) -> list[int]:
    """Indices of `count` frames of a clip with `total` frames, in order.

    Without `fps` the clip is cut into `count` equal parts and the middle frame of each is taken, so that the sample
    covers the clip; of a clip with fewer frames than `count` some are taken twice. With `fps` the frames are
    `native_fps / fps` apart, centred in the clip; a clip that is too short for that is sampled as without `fps`.

    Args:
        place: 0 to 1, where in its part each frame is taken, or with `fps` where in the clip they lie.

    Raises:
        ValueError: `total` or `count` is below one.
    """
    if total < 1 or count < 1:
        raise ValueError(f"Cannot take {count} frames of {total}.")
    if fps and native_fps:
        stride = native_fps / fps
        span = stride * (count - 1)
        if stride > 0 and span <= total - 1:
            start = (total - 1 - span) * place
            return [min(total - 1, round(start + stride * i)) for i in range(count)]
    return [int((i + place) * total / count) for i in range(count)]


def even_step(starts: Sequence[float], last: float) -> float:
    """Seconds from one frame to the next where all are shown for about equally long, else 0.

    A cut without encoding loses some of the last frames, those that others are needed for (B frames). So the last four
    may be further apart.

    Args:
        starts: the second at which each frame is shown, from 0.
        last: for how long the last one is shown; 0: not known.
    """
    for body in (starts, starts[:-4] if len(starts) >= 8 else []):
        step = body[-1] / (len(body) - 1) if len(body) > 1 else 0.0
        gaps = [after - before for before, after in zip(starts[len(body) - 1 :], starts[len(body) :], strict=False)]
        if not step or last > 3 * step or any(gap > 5.5 * step for gap in gaps):
            continue
        if all(abs(start - i * step) <= step / 2 for i, start in enumerate(body)):
            return step
    return 0.0


def even_rate(step: float, steps: int, header: float) -> float:
    """Frames a second: the header's where the time stamps agree with it, which may be rounded to milliseconds."""
    agrees = abs(step * steps - steps / header) <= max(0.5 / header, 0.02 * step * steps)
    return header if agrees else 1 / step


def sample_by_time(
    starts: Sequence[float], duration: float, count: int, fps: float | None = None, place: float = 0.5
) -> list[int]:
    """As `sample_indices` where frames are shown for different times: indices of those that are shown then."""
    span, times = (count - 1) / fps if fps else 0.0, [(i + place) * duration / count for i in range(count)]
    if fps and span <= starts[-1]:
        times = [(starts[-1] - span) * place + i / fps for i in range(count)]
    return [max(0, bisect_right(starts, second) - 1) for second in times]


def fit(width: int, height: int, size: dict[str, int]) -> tuple[int, int]:
    """The (width, height) a frame is resized to under a processor's `size`: exact, or by its shortest edge.

    Raises:
        ValueError: `size` has neither height and width nor shortest_edge.
    """
    if "height" in size and "width" in size:
        return size["width"], size["height"]
    if "shortest_edge" not in size:
        raise ValueError(f"A processor size must have height and width, or shortest_edge; it has {sorted(size)}.")
    edge = size["shortest_edge"]
    short, long = min(width, height), max(width, height)
    longest = int(edge * long / short)
    return (edge, longest) if width <= height else (longest, edge)
