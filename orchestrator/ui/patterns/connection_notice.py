"""Says that the studio is out of reach, and goes away by itself when it is back."""

import reflex as rx
from reflex_base.components.memo import memo
from reflex_components_core.core.banner import has_connection_errors

from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.tsx import tsx


class NavigationHold(rx.Component):
    """Binding of `navigation_hold.tsx`: keeps links from leaving the page, and says so where one was pressed."""

    library = tsx("patterns/navigation_hold.tsx")
    tag = "NavigationHold"


def _notice() -> rx.Component:
    look = (
        "fixed bottom-4 left-1/2 z-70 flex w-max max-w-[calc(100vw-2rem)] -translate-x-1/2 items-start gap-2.5 "
        "rounded-xl border border-warning/40 bg-popover px-4 py-3 text-sm shadow-float animate-fade"
    )
    return rx.fragment(
        rx.cond(
            has_connection_errors,
            rx.el.div(
                icon("unplug", class_name="mt-0.5 text-warning"),
                rx.el.p(
                    rx.el.span("Connection lost. Reconnecting\u2026 ", class_name="font-medium"),
                    NavigationHold.create(),
                    rx.el.span(
                        "What you see may be out of date. Running jobs continue.", class_name="text-muted-foreground"
                    ),
                ),
                role="status",
                custom_attrs={"data-connection-notice": ""},
                class_name=look,
            ),
            rx.fragment(),
        )
    )


def connection_notice() -> rx.Component:
    """For the app's overlay; a component of its own, because it reads the connection's hooks."""
    return rx.fragment(memo(_notice)())
