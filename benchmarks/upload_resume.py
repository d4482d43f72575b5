"""An upload interrupted at ten random points and resumed: whether the bytes match, and how much is sent twice."""

import hashlib
import os
import random
import time
from contextlib import closing
from pathlib import Path

import httpx

from benchmarks.studio import studio
from benchmarks.target import Target
from benchmarks.tus import PAGE_CHUNK, Line, begin, offset_of, sign_in

TARGETS: dict[str, Target] = {"different_bytes": {"max": 0}, "most_chunks_resent": {"max": 1.0}}
BYTES, CUTS, SEED = 512 * 2**20, 10, 7
_LIMIT_S = 20.0


def _next(client: httpx.Client, place: str, line: Line, source: Path, offset: int) -> int:
    """Sends one chunk whole, where the server says; the offset after it. As the page: 409 and 423 are tried again."""
    until = time.monotonic() + _LIMIT_S
    while time.monotonic() < until:
        status = line.send(place, source, offset, min(PAGE_CHUNK, BYTES - offset))
        if status == 204:
            return offset + min(PAGE_CHUNK, BYTES - offset)
        assert status in (409, 423), status
        time.sleep(0.05)
        offset = offset_of(client, place)
    raise TimeoutError("The server never took the next chunk.")


def run() -> dict[str, float]:
    """Each cut resets the connection in the middle of a chunk; resent: bytes sent before the cut and again after it."""
    chance = random.Random(SEED)
    with studio() as running, closing(sign_in(running.url)) as client:
        source = running.data_dir / "source.bin"
        source.write_bytes(os.urandom(BYTES))
        place, offset, resent = begin(client, "resumed", BYTES), 0, []
        points = sorted(chance.sample(range(1, BYTES), CUTS))
        for point in points:
            line = Line(client)
            while point - offset >= PAGE_CHUNK:
                offset = _next(client, place, line, source, offset)
            if point <= offset:
                continue
            line.send(place, source, offset, min(PAGE_CHUNK, BYTES - offset), cut_after=point - offset)
            offset = _settled(client, place)
            resent.append(point - offset)
        line = Line(client)
        while offset < BYTES:
            offset = _next(client, place, line, source, offset)
        arrived = running.data_dir / "uploads" / f"{place.rpartition('/')[2]}.part"
        same = _digest(arrived) == _digest(source)
    figures = {"cuts": len(resent), "different_bytes": 0 if same else 1}
    figures |= {"most_resent_mb": max(resent) / 1e6, "most_chunks_resent": max(resent) / PAGE_CHUNK}
    return {name: round(value, 3) for name, value in figures.items()}


def _settled(client: httpx.Client, place: str) -> int:
    """The offset, once the server has noticed that the connection is lost."""
    before, now = -1, offset_of(client, place)
    while before != now:
        time.sleep(0.3)
        before, now = now, offset_of(client, place)
    return now


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
