"""Finds near-duplicate clips by their perceptual hashes, without comparing all pairs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

NEAR_BITS = 10
"""Of 256 bits: a re-encoded copy differs in fewer, another video in many more."""
_BANDS, _MAX_BUCKET = 16, 400


def near_pairs(hashes: Sequence[tuple[int, str]], bits: int = NEAR_BITS) -> list[tuple[int, int, int]]:
    """Pairs of hashes that differ in at most `bits` bits.

    Two hashes that differ in fewer bits than there are bands have at least one band in common, so that only hashes
    which share a band are compared. Bands that very many share, such as those of black frames, are skipped.

    Args:
        hashes: (key, hex digits).

    Returns:
        (key, key, differing bits), sorted.
    """
    values = {key: int(digits, 16) for key, digits in hashes if digits}
    width = 256 // _BANDS
    distances: dict[tuple[int, int], int] = {}
    for band in range(_BANDS):  # one after the other: the buckets of all at once would take 16 times the memory
        buckets: dict[int, list[int]] = defaultdict(list)
        for key, value in values.items():
            buckets[(value >> (band * width)) & ((1 << width) - 1)].append(key)
        for keys in buckets.values():
            if 1 < len(keys) <= _MAX_BUCKET:
                _compare(keys, values, bits, distances)
    return sorted((a, b, distance) for (a, b), distance in distances.items())


def _compare(keys: Sequence[int], values: Mapping[int, int], bits: int, distances: dict[tuple[int, int], int]) -> None:
    """Adds the pairs of these keys that are near each other."""
    for i, first in enumerate(keys):
        value = values[first]
        for second in keys[i + 1 :]:
            distance = (value ^ values[second]).bit_count()
            if distance <= bits:
                distances[min(first, second), max(first, second)] = distance


def similar_groups(pairs: Sequence[tuple[int, int, int]]) -> dict[int, set[int]]:
    """Groups of keys that are connected by pairs, directly or through others.

    Returns:
        The group of each key; all keys of a group share the same set.
    """
    groups: dict[int, set[int]] = {}
    for first, second, _ in pairs:
        one, two = groups.get(first, {first}), groups.get(second, {second})
        if one is two:
            continue
        one |= two
        for key in one:
            groups[key] = one
    return groups
