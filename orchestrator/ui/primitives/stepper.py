"""The steps of a wizard: done, now, next."""

from typing import Any

import reflex as rx

from orchestrator.ui.kit import Handler, Number, Text, classes
from orchestrator.ui.primitives.icon import icon

Step = tuple[str, Text | None]

_DOT = "z-10 flex size-6 shrink-0 items-center justify-center rounded-full text-xs font-semibold"


def _pick(test: Any, yes: Any, no: Any) -> Any:
    return rx.cond(test, yes, no) if isinstance(test, rx.Var) else (yes if test else no)


def _dot(place: int, current: Number) -> rx.Component:
    done = rx.el.span(icon("check", size=14), class_name=classes(_DOT, "bg-primary/15 text-primary"))
    now = rx.el.span(
        str(place),
        class_name=classes(
            _DOT,
            "bg-primary text-primary-foreground shadow-[0_0_0_4px_color-mix(in_oklab,var(--primary)_20%,transparent)]",
        ),
    )
    later = rx.el.span(str(place), class_name=classes(_DOT, "border border-input text-muted-foreground"))
    return _pick(current > place, done, _pick(current == place, now, later))


def stepper(steps: list[Step], current: Number, on_pick: Handler = None) -> rx.Component:
    """`steps`: `(title, note)`; `current` counts from 1. `on_pick`: a function of the step's number, for steps already done.

    A column from 768 px on; four bars and "Step 3 of 4" on a phone.
    """
    rows: list[rx.Component] = []
    for place, (title, note) in enumerate(steps, start=1):
        words = rx.el.span(
            rx.el.span(title, class_name="block text-sm font-medium"),
            rx.el.span(note, class_name="block truncate text-xs text-muted-foreground")
            if note is not None
            else rx.fragment(),
            class_name=_pick(
                current >= place, "min-w-0 pt-0.5 text-foreground", "min-w-0 pt-0.5 text-muted-foreground"
            ),
        )
        inner: rx.Component = rx.fragment(_dot(place, current), words)
        look = "flex w-full items-start gap-3 rounded-md text-left"
        if on_pick is not None:
            inner = rx.el.button(
                inner,
                type="button",
                disabled=current <= place,
                on_click=on_pick(place),
                class_name=classes(look, "focus-ring"),
            )
        else:
            inner = rx.el.span(inner, class_name=look)
        line = (
            rx.el.span(aria_hidden=True, class_name="absolute bottom-1 left-3 top-7 w-px bg-border")
            if place < len(steps)
            else rx.fragment()
        )
        here: Any = _pick(current == place, "step", "false")
        rows.append(rx.el.li(line, inner, aria_current=here, class_name="relative min-h-16 last:min-h-0"))
    bars = [
        rx.el.span(
            class_name=_pick(current >= place, "h-1 flex-1 rounded-full bg-primary", "h-1 flex-1 rounded-full bg-muted")
        )
        for place in range(1, len(steps) + 1)
    ]
    phone = rx.el.div(
        rx.el.div(*bars, aria_hidden=True, class_name="flex gap-1.5"),
        rx.el.p("Step ", current, f" of {len(steps)}", class_name="mt-2 text-xs text-muted-foreground"),
        class_name="md:hidden",
    )
    return rx.el.div(
        phone, rx.el.nav(rx.el.ol(*rows), aria_label="Steps", class_name="w-37 max-md:hidden"), class_name="min-w-0"
    )
