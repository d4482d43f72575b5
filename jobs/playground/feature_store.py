"""Stores the features of clips on disk, so that a second search of a dataset encodes no clip again."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import torch

from jobs.video.cache import ClipSampling
from orchestrator.domain.clip_facts import READER_VERSION
from orchestrator.services.playground.questions import CheckedRequest
from orchestrator.settings import get_settings

FORMAT = 1
MAX_FILES = 48
"""Models and adapters whose features are kept; the least recently used are deleted first."""
_MAX_IN_MEMORY = 6
_IN_MEMORY: dict[str, dict[str, tuple[np.ndarray, ...]]] = {}


def key_of(checked: CheckedRequest, who: str, sampling: ClipSampling) -> str:
    """A digest of the base's weights, the adapter's file and the sampled frames: everything that features depend on."""
    parts: list[Any] = [FORMAT, READER_VERSION, checked.model_revision or str(checked.model_path), sampling.key]
    if checked.adapter is not None:
        recipe = checked.adapter.recipe.get("qlora", {})
        parts.append([recipe.get("enabled", True), recipe.get("bits", 4)])
        if who == "adapter":
            file = checked.adapter.folder / "adapter_model.safetensors"
            parts += [str(file), file.stat().st_mtime_ns]
    else:
        parts.append([True, 4])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class FeatureStore:
    """Features by the clip's content: in memory, and in one SQLite file per model and adapter."""

    def __init__(self, key: str) -> None:
        folder = get_settings().cache_folder / "features"
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{key}.db"
        self._known = _IN_MEMORY.setdefault(key, {})
        while len(_IN_MEMORY) > _MAX_IN_MEMORY:
            _IN_MEMORY.pop(next(iter(_IN_MEMORY)))
        if not self._known:
            self._read()
            self._delete_old_files()

    def __contains__(self, content_hash: str) -> bool:
        return content_hash in self._known

    def add(self, hashes: Sequence[str], features: tuple[torch.Tensor, ...]) -> None:
        """Stores the features of some clips."""
        parts = [feature.numpy().astype(np.float32) for feature in features]
        shapes = json.dumps([list(part.shape[1:]) for part in parts])
        rows = []
        for at, content_hash in enumerate(hashes):
            self._known[content_hash] = tuple(part[at] for part in parts)
            rows.append((content_hash, shapes, b"".join(part[at].tobytes() for part in parts)))
        with self._open() as file:
            file.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)

    def features(self, hashes: Sequence[str]) -> tuple[torch.Tensor, ...]:
        """The features of these clips, in their order."""
        rows = [self._known[content_hash] for content_hash in hashes]
        return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10.0)) as file, file:
            file.execute("CREATE TABLE IF NOT EXISTS features (hash TEXT PRIMARY KEY, shapes TEXT, bytes BLOB)")
            yield file

    def _read(self) -> None:
        try:
            with self._open() as file:
                rows = file.execute("SELECT hash, shapes, bytes FROM features").fetchall()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)  # damaged: everything in it can be computed again
            return
        for content_hash, shapes, raw in rows:
            self._known[content_hash] = _unpack(json.loads(shapes), raw)
        os.utime(self._path)

    def _delete_old_files(self) -> None:
        files = sorted(self._path.parent.glob("*.db"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[MAX_FILES:]:
            path.unlink(missing_ok=True)


def _unpack(shapes: list[list[int]], raw: bytes) -> tuple[np.ndarray, ...]:
    flat, at, parts = np.frombuffer(raw, np.float32), 0, []
    for shape in shapes:
        count = int(np.prod(shape))
        parts.append(flat[at : at + count].reshape(shape))
        at += count
    return tuple(parts)
