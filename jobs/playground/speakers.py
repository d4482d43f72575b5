"""Who answers: the adapter, and beside it the base that it was made from, both out of one model in memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from jobs.playground.shelf import Loaded
from orchestrator.domain.playground import InferenceRequest
from orchestrator.services.playground.questions import CheckedRequest

BASE, ADAPTER = "base", "adapter"
AsIt = Callable[[], AbstractContextManager[Any]]


def answerers(loaded: Loaded, asked: CheckedRequest, wish: InferenceRequest) -> list[tuple[str, AsIt]]:
    """Names, and what makes the model be that one for a while; the adapter first, for it is waited for.

    The while is one step: between two, somebody else may ask the same model.
    """
    if asked.adapter is None:
        return [(BASE, nullcontext)]
    if not wish.compare:
        return [(ADAPTER, nullcontext)]
    return [(ADAPTER, nullcontext), (BASE, loaded.model.disable_adapter)]
