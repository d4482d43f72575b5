"""A screenshot of the studio; left out while there is none."""

from pathlib import Path

import reflex as rx

from orchestrator.ui.primitives.button import button

_ASSETS = Path(__file__).resolve().parents[3] / "assets"


def screen() -> rx.Component:
    """The overview as it looks, in the visitor's theme."""
    names = ("landing-overview-dark.webp", "landing-overview-light.webp")
    if not all((_ASSETS / name).exists() for name in names):
        return rx.fragment()

    def picture(name: str, class_name: str) -> rx.Component:
        return rx.el.img(
            src=f"/{name}",
            alt="The overview: a running job with its loss curve, the workers, counts and the last events.",
            width="1280",
            height="860",
            loading="lazy",
            class_name=f"w-full rounded-lg border border-border {class_name}",
        )

    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2("Everything on one screen", class_name="text-xl font-semibold tracking-[-0.015em]"),
                rx.el.p(
                    "Jobs, workers and the last events. Live, and on a phone too.",
                    class_name="mt-1 text-sm text-muted-foreground",
                ),
            ),
            button("See your own", icon_right="arrow-right", href="/overview"),
            class_name="flex flex-wrap items-end justify-between gap-4",
        ),
        rx.el.div(
            picture(names[0], "theme-dark-only"),
            picture(names[1], "theme-light-only"),
            class_name="mt-6",
        ),
        class_name="rounded-xl border border-border bg-card p-7 touch:p-5",
    )
