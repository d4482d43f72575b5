"""The steps of a wizard: done, now, next; a column next to the form, bars above it on a phone."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Handler, Number, classes
from orchestrator.ui.primitives.icon import icon

Step = dict[str, Any]
"""`title`, and a `note` of what was chosen there."""

_DOT = "z-10 flex size-6 shrink-0 items-center justify-center rounded-full text-xs font-semibold"
_NOW = "bg-primary text-primary-foreground shadow-[0_0_0_4px_color-mix(in_oklab,var(--primary)_20%,transparent)]"


def _pick(test: Any, yes: Any, no: Any) -> Any:
    """Decided here for plain values, in the browser for vars."""
    return rx.cond(test, yes, no) if isinstance(test, rx.Var) else (yes if test else no)


def _dot(place: int, current: Number) -> Any:
    done = rx.el.span(icon("check", size=14), class_name=classes(_DOT, "bg-primary/15 text-primary"))
    now = rx.el.span(str(place), class_name=classes(_DOT, _NOW))
    later = rx.el.span(str(place), class_name=classes(_DOT, "border border-input text-muted-foreground"))
    return _pick(current > place, done, _pick(current == place, now, later))


def _words(place: int, step: Step, current: Number) -> rx.Component:
    note = step.get("note")
    return rx.el.span(
        rx.el.span(step["title"], class_name="block text-sm font-medium"),
        rx.el.span(note, class_name="block truncate text-xs text-muted-foreground") if note is not None else None,
        class_name=_pick(current >= place, "min-w-0 pt-0.5 text-foreground", "min-w-0 pt-0.5 text-muted-foreground"),
    )


def _row(place: int, step: Step, current: Number, reached: Number, on_select: Handler, last: bool) -> rx.Component:
    inner = rx.fragment(_dot(place, current), _words(place, step, current))
    look = "flex w-full items-start gap-3 rounded-md text-left"
    if on_select is None:
        body: rx.Component = rx.el.span(inner, class_name=look)
    else:
        body = rx.el.button(
            inner,
            type="button",
            disabled=_pick(reached < place, True, False),
            on_click=on_select(place),
            class_name=classes(look, "border border-transparent focus-ring disabled:cursor-default"),
        )
    line = rx.el.span(aria_hidden=True, class_name="absolute bottom-1 left-3 top-7 w-px bg-border")
    here: Any = _pick(current == place, "step", "false")
    return rx.el.li(*([] if last else [line]), body, aria_current=here, class_name="relative min-h-16 last:min-h-0")


def stepper(
    steps: list[Step], current: Number, reached: Number | None = None, on_select: Handler = None
) -> rx.Component:
    """A column of 148 px, absent on a phone. `current` counts from 1; `on_select` gets the number of a step up to `reached`."""
    limit = current if reached is None else reached
    rows = [
        _row(place, step, current, limit, on_select, place == len(steps)) for place, step in enumerate(steps, start=1)
    ]
    return rx.el.nav(rx.el.ol(*rows), aria_label="Steps", class_name="w-37 max-md:hidden")


def phone_stepper(steps: list[Step], current: Number) -> rx.Component:
    """Four bars and "Step 3 of 4", on a phone only."""
    bar = "h-1 flex-1 rounded-full"
    bars = [
        rx.el.span(class_name=_pick(current >= place, f"{bar} bg-primary", f"{bar} bg-muted"))
        for place in range(1, len(steps) + 1)
    ]
    return rx.el.div(
        rx.el.div(*bars, aria_hidden=True, class_name="flex gap-1.5"),
        rx.el.p("Step ", current, f" of {len(steps)}", class_name="mt-2 text-xs text-muted-foreground"),
        class_name="md:hidden",
    )
