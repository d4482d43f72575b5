"""Several jobs' curves on one plot."""

from typing import Any

import reflex as rx
from reflex_base.components.component import NoSSRComponent

from orchestrator.ui.kit import Text
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class CurvesChart(NoSSRComponent):
    """Binding of `curves_chart.tsx`. Its root carries `data-curves` and `data-points`."""

    library = tsx("charts/curves_chart.tsx")
    tag = "CurvesChart"
    lib_dependencies: list[str] = pinned("uplot", "lucide-react", "@radix-ui/react-dropdown-menu", *STYLE)

    lines: rx.Var[list[dict[str, Any]]]
    title: rx.Var[str]
    smoothing: rx.Var[float]
    height: rx.Var[int]


def curves_chart(lines: Any, *, title: Text = "Loss", smoothing: float = 0.8, height: int = 420) -> rx.Component:
    """`lines`: {id, name, series (1 to 7), dash (0: solid), points: [[step, value], ...]}."""
    return CurvesChart.create(lines=lines, title=title, smoothing=smoothing, height=height)
