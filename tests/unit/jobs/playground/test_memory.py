"""What a retriever said of clips is found again by the next process, and a damaged file costs nothing but time."""

from pathlib import Path

import torch

from jobs.playground import memory
from jobs.playground.memory import FeatureStore


def test_features_come_back_from_disk(home: Path) -> None:
    features = (torch.arange(6, dtype=torch.float32).view(3, 2), torch.ones(3, 2, 2))
    FeatureStore("key").keep(["a", "b", "c"], features)
    memory._IN_MEMORY.clear()  # another process
    again = FeatureStore("key")
    assert ("b" in again, "x" in again) == (True, False)
    vectors, grids = again.features(["c", "a"])
    assert vectors.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert grids.shape == (2, 2, 2)
    memory._IN_MEMORY.clear()
    path = home / "cache" / "features" / "key.db"
    path.write_bytes(b"damaged" * 1000)
    fresh = FeatureStore("key")
    assert "a" not in fresh
    fresh.keep(["a"], (torch.zeros(1, 2),))
    memory._IN_MEMORY.clear()
    assert "a" in FeatureStore("key")
