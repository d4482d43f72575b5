"""Parallel coordinates by plotly, which is loaded with this chart and nowhere else."""

from typing import Any

import reflex as rx
from reflex_base.components.component import NoSSRComponent

from orchestrator.ui.packages import pinned
from orchestrator.ui.tsx import tsx


class ParallelCoordinates(NoSSRComponent):
    """Binding of `parallel.tsx`. Its root carries `data-parallel`: waiting, ready or failed."""

    library = tsx("charts/parallel.tsx")
    tag = "ParallelCoordinates"
    lib_dependencies: list[str] = pinned("plotly.js-basic-dist-min")

    axes: rx.Var[list[dict[str, Any]]]
    jobs: rx.Var[list[dict[str, Any]]]
    height: rx.Var[int]


def parallel_coordinates(axes: Any, jobs: Any, *, height: int = 320) -> rx.Component:
    """`axes`: {name, labels, positions} with one label and one position (0 to 1) per job; `jobs`: {name, series, dash}."""
    return ParallelCoordinates.create(axes=axes, jobs=jobs, height=height)
