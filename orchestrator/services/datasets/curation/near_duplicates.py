"""Finds near-duplicate clips by their perceptual hashes, without comparing every pair."""

from collections import defaultdict
from collections.abc import Sequence

NEAR_BITS = 10
"""Of 256: a film coded anew differs in fewer, another film in many more."""
_BANDS, _CROWD = 16, 400


def near_pairs(prints: Sequence[tuple[int, str]], bits: int = NEAR_BITS) -> list[tuple[int, int, int]]:
    """[(key, key, differing bits)] of all pairs that differ in at most `bits`.

    Two fingerprints that differ in fewer bits than there are bands agree wholly in one band at least, so only those
    that share a band are compared. Bands shared by a crowd tell nothing (a black picture) and are passed over.

    Args:
        prints: (key, hex digits).
    """
    known = {key: int(digits, 16) for key, digits in prints if digits}
    width = 256 // _BANDS
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for key, value in known.items():
        for band in range(_BANDS):
            buckets[band, (value >> (band * width)) & ((1 << width) - 1)].append(key)
    found: dict[tuple[int, int], int] = {}
    for keys in buckets.values():
        if len(keys) > _CROWD:
            continue
        for i, first in enumerate(keys):
            for second in keys[i + 1 :]:
                pair = (min(first, second), max(first, second))
                if pair not in found and (away := (known[first] ^ known[second]).bit_count()) <= bits:
                    found[pair] = away
    return sorted((a, b, away) for (a, b), away in found.items())


def bunches(pairs: Sequence[tuple[int, int, int]]) -> dict[int, set[int]]:
    """For each key of a pair all that it is alike to, also by way of others; one set is shared by all of them."""
    found: dict[int, set[int]] = {}
    for first, second, _ in pairs:
        one, two = found.get(first, {first}), found.get(second, {second})
        if one is two:
            continue
        one |= two
        for key in one:
            found[key] = one
    return found
