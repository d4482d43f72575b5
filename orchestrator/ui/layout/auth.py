"""The split screen of login and sign-up: the form on the left, a quiet film on the right."""

import reflex as rx

from orchestrator.ui.effects.film_wall import film_wall
from orchestrator.ui.kit import Child, children
from orchestrator.ui.layout.logo import logo
from orchestrator.ui.layout.theme_toggle import theme_toggle
from orchestrator.ui.primitives.link import link


def auth_layout(title: str, note: Child, *form: Child, foot: Child = None, front: Child = None) -> rx.Component:
    """One form of at most 360 px beside the film, with `front` over it; on a phone the film is left out."""
    return rx.el.div(
        rx.el.div(
            rx.el.header(
                link(logo(), href="/", quiet=False, aria_label="Loreel, start page", class_name="no-underline"),
                theme_toggle(),
                class_name="flex items-center justify-between",
            ),
            rx.el.main(
                rx.el.h1(title, class_name="text-3xl font-semibold tracking-[-0.025em]"),
                rx.el.p(note, class_name="mt-1.5 text-sm text-muted-foreground"),
                rx.el.div(*children(*form), class_name="mt-8"),
                class_name="m-auto w-full max-w-90 py-10",
                id="content",
            ),
            rx.el.footer(foot, class_name="text-xs text-muted-foreground") if foot is not None else rx.fragment(),
            class_name="flex min-h-dvh w-full flex-col px-10 py-6 touch:px-4 lg:w-[44%] lg:border-r lg:border-border",
        ),
        film_wall(front),
        class_name="flex min-h-dvh bg-background",
    )
