"""The live loss chart; it accumulates, so Python sends only the new points."""

from typing import Any, Literal

import reflex as rx
from reflex_base.components.component import NoSSRComponent

from orchestrator.ui.kit import Flag, Handler, Number, Text, present
from orchestrator.ui.packages import STYLE, pinned
from orchestrator.ui.tsx import tsx


class LossChart(NoSSRComponent):
    """Binding of `loss_chart.tsx`. Its root carries `data-last-step`, `data-point-count`, `data-last-seq` and `data-arrived`."""

    library = tsx("charts/loss_chart.tsx")
    tag = "LossChart"
    lib_dependencies: list[str] = pinned("uplot", "lucide-react", "@radix-ui/react-dropdown-menu", *STYLE)

    points: rx.Var[dict[str, Any]]
    history: rx.Var[Any]
    total_steps: rx.Var[int]
    series: rx.Var[int]
    train_key: rx.Var[str]
    eval_key: rx.Var[str]
    title: rx.Var[str]
    live: rx.Var[bool]
    smoothing: rx.Var[float]
    height: rx.Var[int]
    around: rx.Var[int]
    stop_word: rx.Var[str]
    train_word: rx.Var[str]
    eval_word: rx.Var[str]
    unit: rx.Var[str]
    axis: rx.Var[str]
    refine: rx.Var[str]
    on_gap: rx.EventHandler[rx.event.passthrough_event_spec(int)]


def loss_chart(
    *,
    points: Any = None,
    history: Any = None,
    total_steps: Number = 0,
    series: Number = 1,
    live: Flag = True,
    on_gap: Handler = None,
    title: Text = "Loss",
    train_key: Text = "loss",
    eval_key: Text = "eval_loss",
    smoothing: float = 0.9,
    height: int = 360,
    around: Number = 0,
    stop_word: Text | None = None,
    train_word: Text = "Train",
    eval_word: Text = "Validation",
    unit: Text = "",
    axis: Literal["step", "seconds"] = "step",
    refine: Text | None = None,
    class_name: str = "",
) -> rx.Component:
    """The chart with its title, controls and legend (put it in a `card` without a title).

    `points`: the newest batch only, `{seq, items: [[step, series, value]], first_seq?}`, `seq` counting from 1 (a batch of
    several numbers names its `first_seq`); `around`: pixels of the window that the plot leaves free, where it has to be seen whole; `history`: `{series: [[step, value], ...]}`, or an address that answers it (or
    `{series: {...}}`); `on_gap` gets the last number seen before a hole. `stop_word`: "Failed at step 147". `unit`: "", "percent" (of values 0 to 1) or "bytes".
    Dragging zooms in and a double click shows everything; `refine` is the address that answers a stretch in full
    (`?series=&first_step=&last_step=&points=`).
    """
    given = present(points=points, history=history, on_gap=on_gap, stop_word=stop_word, refine=refine)
    return LossChart.create(
        total_steps=total_steps, series=series, live=live, title=title, train_key=train_key, eval_key=eval_key,
        train_word=train_word, eval_word=eval_word, unit=unit, axis=axis, smoothing=smoothing, height=height, around=around,
        class_name=class_name, **given,
    )  # fmt: skip
