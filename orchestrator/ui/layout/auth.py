"""The split screen of login and sign-up: the form on the left, a decorative film on the right."""

import reflex as rx

from orchestrator.ui.effects.film_wall import film_wall
from orchestrator.ui.kit import Child, Handler, Text, children
from orchestrator.ui.layout.logo import logo
from orchestrator.ui.layout.theme_toggle import theme_toggle
from orchestrator.ui.patterns.offline_notice import offline_notice
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.notice import notice


def auth_layout(title: str, note: Child, *form: Child, foot: Child = None, front: Child = None) -> rx.Component:
    """One form of at most 360 px next to the film, with `front` over it; a phone shows only the form."""
    return rx.el.div(
        rx.el.div(
            rx.el.header(
                link(logo(), href="/", muted=False, aria_label="Loreel, start page", class_name="no-underline"),
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


def auth_form(
    *fields: Child, problem: rx.Var[str], submit: str, busy: rx.Var[bool], on_submit: Handler
) -> rx.Component:
    """The form of login and sign-up: the offline notice, the problem of the whole form, its fields, one button."""
    return rx.el.form(
        offline_notice(),
        rx.cond(problem, notice(problem), rx.fragment()),
        *children(*fields),
        button(submit, variant="primary", size="lg", submit=True, loading=busy, class_name="w-full"),
        on_submit=on_submit,
        no_validate=True,
        class_name="flex flex-col gap-5",
    )


def other_form(question: str, label: str, href: Text) -> rx.Component:
    """The link below the form to the other one."""
    return rx.el.p(
        f"{question} ",
        link(label, href=href, class_name="font-medium text-foreground"),
        class_name="mt-8 text-sm text-muted-foreground",
    )
