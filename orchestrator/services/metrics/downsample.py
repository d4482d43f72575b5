"""Downsamples a curve for the screen without losing a spike: each bucket keeps its lowest and its highest point."""


def min_max(points: list[list[float]], limit: int) -> list[list[float]]:
    """At most about `limit` of the points, in order, always with the first and the last.

    Args:
        points: [[step, value], ...], steps rising.
    """
    if len(points) <= limit:
        return points
    buckets = max(1, (limit - 2) // 2)
    inner = points[1:-1]
    width = len(inner) / buckets
    chosen = [points[0]]
    for number in range(buckets):
        bucket = inner[int(number * width) : int((number + 1) * width)]
        if not bucket:
            continue
        low = min(range(len(bucket)), key=lambda i: bucket[i][1])
        high = max(range(len(bucket)), key=lambda i: bucket[i][1])
        chosen.extend(bucket[i] for i in sorted({low, high}))
    chosen.append(points[-1])
    return chosen
