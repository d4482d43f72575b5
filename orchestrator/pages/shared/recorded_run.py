"""The loss curve of a real run, drawn as it was logged in recorded_run.json."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import reflex as rx

from orchestrator.ui.effects.film_wall import film_row

_FILE = Path(__file__).with_name("recorded_run.json")
WIDTH, HEIGHT = 1000, 260
_SMOOTH = 0.92


@lru_cache(maxsize=1)
def recording() -> dict[str, Any] | None:
    """`{"facts": [...], "steps": n, "loss": [[step, value], ...], "validation": [[step, value], ...]}` or None."""
    return json.loads(_FILE.read_text()) if _FILE.exists() else None


def smoothed(points: list[list[float]], weight: float = _SMOOTH) -> list[list[float]]:
    """Exponential moving average without the pull to zero at the start (Kingma & Ba 2015, bias correction)."""
    mean, result = 0.0, []
    for count, (step, value) in enumerate(points, 1):
        mean = weight * mean + (1 - weight) * value
        result.append([step, mean / (1 - weight**count)])
    return result


def _ticks(top: float) -> list[float]:
    return [round(top * i / 4, 2) for i in range(5)]


class _Scale:
    """Maps steps and losses to coordinates of the drawing."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.steps = run["steps"]
        highest = max(value for _, value in run["loss"])
        self.top = -(-highest // 0.4) * 0.4

    def x(self, step: float) -> float:
        return WIDTH * step / self.steps

    def y(self, value: float) -> float:
        return HEIGHT * (1 - value / self.top)

    def path(self, points: list[list[float]]) -> str:
        return "M" + "L".join(f"{self.x(s):.1f} {self.y(v):.1f}" for s, v in points)


def _drawing(run: dict[str, Any], with_grid: bool = True) -> rx.Component:
    scale, smooth = _Scale(run), smoothed(run["loss"])
    line = scale.path(smooth)
    ticks = _ticks(scale.top) if with_grid else []
    grid = [
        rx.el.svg.path(
            d=f"M0 {scale.y(tick):.1f}H{WIDTH}",
            stroke="var(--border)",
            stroke_dasharray="2 4",
            vector_effect="non-scaling-stroke",
        )
        for tick in ticks
    ]
    return rx.el.svg(
        rx.el.svg.defs(
            rx.el.svg.linear_gradient(
                rx.el.svg.stop(offset="0", stop_color="var(--primary)", stop_opacity="0.3"),
                rx.el.svg.stop(offset="1", stop_color="var(--primary)", stop_opacity="0"),
                id="run-fall",
                x1="0",
                x2="0",
                y1="0",
                y2="1",
            )
        ),
        *grid,
        rx.el.svg.path(d=f"{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z", fill="url(#run-fall)"),
        rx.el.svg.path(
            d=scale.path(run["loss"]),
            fill="none",
            stroke="var(--primary)",
            stroke_opacity="0.38",
            vector_effect="non-scaling-stroke",
        ),
        rx.el.svg.path(
            d=line,
            path_length=1,
            class_name="curve-draw",
            fill="none",
            stroke="var(--primary)",
            stroke_width="2.25",
            stroke_linejoin="round",
            vector_effect="non-scaling-stroke",
        ),
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        preserve_aspect_ratio="none",
        class_name="absolute inset-0 size-full overflow-visible",
        aria_hidden=True,
    )


def _dot(scale: _Scale, step: float, value: float, class_name: str) -> rx.Component:
    position = {"left": f"{scale.x(step) / WIDTH:.2%}", "top": f"{scale.y(value) / HEIGHT:.2%}"}
    return rx.el.span(aria_hidden=True, style=position, class_name=f"absolute -translate-1/2 rounded-full {class_name}")


def _legend(run: dict[str, Any]) -> rx.Component:
    return rx.el.div(
        rx.el.h2("A recorded run, drawn as it was logged", class_name="text-sm font-semibold"),
        rx.el.span(
            rx.el.span(aria_hidden=True, class_name="h-0.5 w-4 rounded-full bg-primary"),
            "Training loss, smoothed over raw",
            class_name="flex items-center gap-2",
        ),
        rx.el.span(
            rx.el.span(aria_hidden=True, class_name="size-2 rounded-full border border-foreground"),
            "Validation",
            class_name="flex items-center gap-2",
        ),
        rx.el.span(" \u00b7 ".join(run["facts"]), class_name="lg:ml-auto"),
        class_name="flex flex-wrap items-center gap-x-5 gap-y-2 text-xs text-muted-foreground [&_h2]:text-foreground",
    )


def recorded_run() -> rx.Component:
    """The card with the curve; nothing without a recorded run."""
    run = recording()
    if run is None:
        return rx.fragment()
    scale = _Scale(run)
    last = smoothed(run["loss"])[-1]
    ticks = [
        rx.el.span(
            f"{tick:.1f}",
            style={"top": f"{scale.y(tick) / HEIGHT:.2%}"},
            class_name="absolute right-0 -translate-y-1/2",
        )
        for tick in _ticks(scale.top)
    ]
    steps = [round(scale.steps * i / 4) for i in range(5)]
    summary = f"Training loss over {scale.steps} steps, from {run['loss'][0][1]:.2f} to {last[1]:.2f}."
    return rx.el.section(
        _legend(run),
        rx.el.div(
            rx.el.div(
                *ticks, aria_hidden=True, class_name="relative w-8 shrink-0 font-mono text-xs text-muted-foreground"
            ),
            rx.el.div(
                _drawing(run),
                *[
                    _dot(scale, step, value, "size-2 border border-foreground bg-card")
                    for step, value in run["validation"]
                ],
                _dot(scale, *last, "size-2.5 animate-pulse-soft bg-primary"),
                role="img",
                aria_label=summary,
                class_name="relative flex-1",
            ),
            class_name="mt-6 flex h-65 gap-4 touch:h-44",
        ),
        film_row("mt-4 ml-12"),
        rx.el.div(
            *[rx.el.span(f"step {step}" if not i else f"{step}") for i, step in enumerate(steps)],
            aria_hidden=True,
            class_name="mt-3 ml-12 flex justify-between font-mono text-xs text-muted-foreground",
        ),
        id="run",
        class_name="rounded-xl border border-border bg-card p-7 touch:p-5",
    )


def background_curve() -> rx.Component:
    """The same curve without axes, for the film next to the login form; nothing without a recorded run."""
    run = recording()
    if run is None:
        return rx.fragment()
    return rx.el.div(
        _drawing(run, with_grid=False),
        _dot(_Scale(run), *smoothed(run["loss"])[-1], "size-2.5 animate-pulse-soft bg-primary"),
        class_name="absolute inset-x-12 bottom-34 h-[32%]",
    )
