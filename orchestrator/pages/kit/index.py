"""The page at `/kit`, in dev only: everything the pages are made of, in every state."""

import reflex as rx

from orchestrator.ui.layout.shell import page_header, shell
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button, icon_button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.dialog import dialog, dialog_close
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input, password_input, textarea
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.table import cell, head_cell, row, table
from orchestrator.ui.primitives.toast import toast


def index() -> rx.Component:
    """The kit."""
    return shell(
        page_header(
            "Kit",
            "What the pages are made of.",
            actions=[button("Add dataset", icon="plus"), button("New job", icon="plus", variant="primary")],
        ),
        card(
            button("Primary", variant="primary", on_click=toast("success", "Saved.")),
            button("Outline"),
            button("Stop", icon="circle-stop", variant="destructive"),
            button("Busy", loading=True),
            icon_button("x", "Close"),
            title="Buttons",
            note="one primary a view",
            class_name="[&>button]:mr-2",
        ),
        card(
            field("Name", input(name="name", placeholder="everyday-actions"), hint="Letters and dashes"),
            field(
                "Rank r",
                input(name="rank", default_value="-1", mono=True, suffix="clips"),
                error="The rank must be 1 or more.",
            ),
            field("Password", password_input()),
            field("Note", textarea(name="note")),
            field("Schedule", select([("cosine", "Cosine"), ("linear", "Linear")], default_value="cosine")),
            dialog(
                "Body",
                title="A dialog",
                description="What it is for.",
                opener=button("Open"),
                footer=[dialog_close(button("Cancel")), button("Save", variant="primary")],
            ),
            title="Fields",
            class_name="grid gap-4",
        ),
        card(
            table(
                ["Job", "Status", head_cell("Loss", number=True)],
                row(cell("actions"), cell(status_chip("running")), cell("0.412", number=True)),
                row(cell("home", tag("Classification")), cell(status_chip("failed")), cell("1.316", number=True)),
                label="Jobs",
            ),
            title="Table",
            padded=False,
        ),
        title="Kit",
        active="overview",
        user_name="Mira",
        on_logout=rx.console_log("out"),
        running=2,
        running_percent=62,
    )
