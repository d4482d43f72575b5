"""The page at `/`: what Loreel is, and the way in."""

import reflex as rx


def index() -> rx.Component:
    """The landing page."""
    return rx.el.main(
        rx.el.h1("Loreel", class_name="text-3xl font-semibold"),
        rx.el.p("Fine-tune video models on your own machine."),
        class_name="mx-auto max-w-2xl p-8",
    )
