"""Who answers a question: the adapter, and for comparison the base that it was trained on, with one model in memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from jobs.playground.model_cache import Loaded
from orchestrator.domain.playground import InferenceRequest
from orchestrator.services.playground.questions import CheckedRequest

BASE, ADAPTER = "base", "adapter"
Activate = Callable[[], AbstractContextManager[Any]]


def answerers(loaded: Loaded, checked: CheckedRequest, request: InferenceRequest) -> list[tuple[str, Activate]]:
    """(name, context in which the model answers as that one); the adapter first, since its answer is streamed.

    Enter the context for one step at a time: between two steps, another question may use the same model.
    """
    if checked.adapter is None:
        return [(BASE, nullcontext)]
    if not request.compare:
        return [(ADAPTER, nullcontext)]
    return [(ADAPTER, nullcontext), (BASE, loaded.model.disable_adapter)]
