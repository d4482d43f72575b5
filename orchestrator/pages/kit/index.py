"""The page at `/kit`, in dev only: everything the pages are made of, in every state."""

import reflex as rx

from orchestrator.pages.kit.sections import charts, choices, fields, overlays, product, states, words
from orchestrator.ui.layout.shell import page_header, shell
from orchestrator.ui.primitives.button import button


def index() -> rx.Component:
    """The kit."""
    return shell(
        page_header(
            "Kit",
            "What the pages are made of.",
            actions=[button("Add dataset", icon="plus"), button("New job", icon="plus", variant="primary")],
        ),
        words(),
        fields(),
        choices(),
        overlays(),
        product(),
        charts(),
        states(),
        title="Kit",
        active="overview",
        breadcrumb=[("Overview", "/overview")],
        user_name="Mira",
        on_logout=rx.console_log("log out"),
        running=2,
        running_percent=62,
    )
