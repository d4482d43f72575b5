"""The page at `/`: what Loreel is, a recorded run, and the links to sign up."""

import reflex as rx

from orchestrator.pages.landing.proofs import proofs
from orchestrator.pages.landing.screen import screen
from orchestrator.pages.shared.recorded_run import recorded_run
from orchestrator.states.shell.session import SessionState
from orchestrator.ui.effects.beam import beam
from orchestrator.ui.layout.logo import logo
from orchestrator.ui.layout.theme_toggle import theme_toggle
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.link import link

_NAV = "text-sm text-muted-foreground no-underline hover:text-foreground max-sm:hidden"


def _header() -> rx.Component:
    guest = rx.fragment(
        link(
            "Log in",
            href="/login",
            muted=False,
            class_name="tap inline-flex items-center px-2 text-sm whitespace-nowrap no-underline",
        ),
        button("Create account", href="/signup"),
    )
    return rx.el.header(
        link(logo(), href="/", muted=False, aria_label="Loreel, start page", class_name="no-underline"),
        rx.el.nav(
            rx.el.a("The run", href="#run", class_name=_NAV),
            rx.el.a("Why", href="#why", class_name=_NAV),
            rx.el.a("API", href="/api/docs", class_name=_NAV),
            aria_label="Page",
            class_name="flex items-center gap-6",
        ),
        rx.el.div(
            theme_toggle(class_name="max-sm:hidden"),
            rx.cond(SessionState.is_signed_in, button("Open the studio", href="/overview"), guest),
            class_name="ml-auto flex items-center gap-2",
        ),
        class_name="flex h-16 items-center gap-8",
    )


def _hero() -> rx.Component:
    actions = rx.cond(
        SessionState.is_signed_in,
        button("Open the studio", icon_right="arrow-right", variant="primary", size="lg", href="/overview"),
        rx.fragment(
            button("Create account", icon_right="arrow-right", variant="primary", size="lg", href="/signup"),
            button("Train the demo", icon="play", size="lg", href="/signup?next=%2Foverview"),
        ),
    )
    return rx.el.section(
        rx.el.h1(
            "Teach a video model your footage.",
            class_name="max-w-[10em] text-6xl font-semibold tracking-[-0.035em] text-balance touch:text-4xl",
        ),
        rx.el.p(
            "Loreel fine-tunes video models with 4-bit QLoRA on your own machine. "
            "Add clips, choose a base model, watch the loss fall, keep the adapter.",
            class_name="mt-5 max-w-lg text-base text-muted-foreground",
        ),
        rx.el.div(actions, class_name="mt-8 flex flex-wrap gap-3"),
        class_name="pt-20 pb-14 touch:pt-12 touch:pb-10",
    )


def index() -> rx.Component:
    """The landing page."""
    return rx.el.div(
        beam(),
        rx.el.div(
            _header(),
            rx.el.main(
                _hero(),
                rx.el.div(recorded_run(), proofs(), screen(), class_name="flex flex-col gap-6"),
                id="content",
            ),
            rx.el.footer(
                rx.el.span("Loreel 0.1, self-hosted"),
                rx.el.span(
                    rx.el.a("Documentation", href="/docs/", class_name="link-muted"),
                    rx.el.a("API", href="/api/docs", class_name="link-muted"),
                    rx.el.a("Changelog", href="/docs/changelog/", class_name="link-muted"),
                    rx.el.a("Licence", href="/docs/licence/", class_name="link-muted"),
                    class_name="flex flex-wrap gap-x-6 gap-y-2",
                ),
                class_name="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 py-10 text-sm text-muted-foreground",
            ),
            class_name="relative mx-auto w-full max-w-276 px-6 touch:px-4",
        ),
        class_name="relative min-h-dvh overflow-x-clip bg-background",
    )
