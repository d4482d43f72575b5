"""The models in memory: the last three, none that does not fit, and none in the way of a training."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.playground import model_cache
from jobs.playground.model_cache import MAX_MODELS, ModelCache, class_names
from orchestrator.domain.errors import Invalid, Unavailable
from orchestrator.services.playground.questions import CheckedRequest
from orchestrator.settings import ROOT

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"
REQUEST = CheckedRequest("classification", 1, "Tiny", BASE, "r0", 1_000_000, None, None, None)


def memory(monkeypatch: pytest.MonkeyPatch, available: float, percent: float) -> None:
    facts = SimpleNamespace(available=available, percent=percent)
    monkeypatch.setattr(model_cache, "psutil", SimpleNamespace(virtual_memory=lambda: facts))


def test_the_least_recently_used_goes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 8e9, 20)
    models = ModelCache()
    requests = [replace(REQUEST, model_revision=f"r{number}") for number in range(MAX_MODELS + 1)]
    for request in requests[:MAX_MODELS]:
        models.load(request)
    assert models.find(requests[0]) is not None  # used again, so the second is the oldest now
    models.load(requests[MAX_MODELS])
    assert [models.find(request) is not None for request in requests] == [True, False, True, True]
    models.free_memory()  # a training begins, and the memory is enough for both
    assert models.find(requests[0]) is not None
    memory(monkeypatch, 8e9, 80)
    models.free_memory()
    assert not any(models.find(request) for request in requests)


def test_what_does_not_fit_is_refused_with_figures(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, 2e9, 90)
    with pytest.raises(Unavailable, match=r"Tiny needs about 13\.\d\sGB of memory .* 2\.00\sGB free"):
        ModelCache().load(replace(REQUEST, model_bytes=10 * 10**9))


def test_a_base_without_classes_of_its_own_says_so() -> None:
    assert class_names({"id2label": {"1": "b", "0": "a"}}) == ("a", "b")
    for config in ({}, {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}):
        with pytest.raises(Invalid, match="Choose an adapter"):
            class_names(config)
