"""Features that a retriever computed are read by the next process, and a damaged file costs nothing but time."""

from pathlib import Path

import torch

from jobs.playground import feature_store
from jobs.playground.feature_store import FeatureStore


def test_features_come_back_from_disk(home: Path) -> None:
    features = (torch.arange(6, dtype=torch.float32).view(3, 2), torch.ones(3, 2, 2))
    FeatureStore("key").add(["a", "b", "c"], features)
    feature_store._IN_MEMORY.clear()  # another process
    again = FeatureStore("key")
    assert ("b" in again, "x" in again) == (True, False)
    vectors, grids = again.features(["c", "a"])
    assert vectors.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert grids.shape == (2, 2, 2)
    feature_store._IN_MEMORY.clear()
    path = home / "cache" / "features" / "key.db"
    path.write_bytes(b"damaged" * 1000)
    fresh = FeatureStore("key")
    assert "a" not in fresh
    fresh.add(["a"], (torch.zeros(1, 2),))
    feature_store._IN_MEMORY.clear()
    assert "a" in FeatureStore("key")
