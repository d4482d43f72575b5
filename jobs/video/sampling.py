"""Which frames of a clip a model sees, and at which size: arithmetic only, no file is opened."""


def sample_indices(total: int, count: int, native_fps: float = 0.0, fps: float | None = None) -> list[int]:
    """Indices of `count` frames of a clip with `total` frames, in order.

    Without `fps` the clip is cut into `count` equal parts and the middle frame of each is taken, so that the sample
    covers the clip; of a clip with fewer frames than `count` some are taken twice. With `fps` the frames are
    `native_fps / fps` apart, centred in the clip; a clip that is too short for that is sampled as without `fps`.

    Raises:
        ValueError: `total` or `count` is below one.
    """
    if total < 1 or count < 1:
        raise ValueError(f"Cannot take {count} frames of {total}.")
    if fps and native_fps:
        stride = native_fps / fps
        span = stride * (count - 1)
        if stride > 0 and span <= total - 1:
            start = (total - 1 - span) / 2
            return [min(total - 1, round(start + stride * i)) for i in range(count)]
    return [int((i + 0.5) * total / count) for i in range(count)]


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
