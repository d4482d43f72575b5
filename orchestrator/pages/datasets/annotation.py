"""Parts of the dataset pages that depend on the kind of annotation: one is built for each kind that there is."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from orchestrator.domain.tasks import Annotation


def by_annotation(chosen: rx.Var[str], build: Callable[[Annotation], Any], otherwise: Any) -> Any:
    """What `build` gives for the kind that `chosen` names.

    Args:
        otherwise: while nothing is loaded yet; of the same type as what `build` gives.
    """
    return rx.match(chosen, *((kind.value, build(kind)) for kind in Annotation), otherwise)
