"""The sections of the kit page, one per kind of component."""

import math

import reflex as rx

from orchestrator.ui.charts.loss_chart import loss_chart
from orchestrator.ui.charts.sparkline import sparkline
from orchestrator.ui.patterns.cards import (
    job_card,
    metric,
    metrics,
    stat_card,
    timeline,
    timeline_item,
)
from orchestrator.ui.patterns.confirm_delete import confirm_delete
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.error_state import callout, error_state
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.patterns.stepper import phone_stepper, stepper
from orchestrator.ui.patterns.toolbar import data_toolbar, search_field
from orchestrator.ui.primitives.badge import avatar, badge, kbd, tag
from orchestrator.ui.primitives.button import button, icon_button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox, radio_cards, segmented, switch
from orchestrator.ui.primitives.dialog import dialog, dialog_close
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import password_input, textarea
from orchestrator.ui.primitives.log_view import log_view
from orchestrator.ui.primitives.progress import progress, swatch
from orchestrator.ui.primitives.select import select
from orchestrator.ui.primitives.skeleton import loading, skeleton, spinner
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.table import cell, head_cell, row, table
from orchestrator.ui.primitives.tabs import tab_panel, tabs
from orchestrator.ui.primitives.toast import toast
from orchestrator.ui.primitives.tooltip import tooltip
from orchestrator.ui.primitives.values import copy_text, value
from orchestrator.ui.uploader.uploader import uploader

_ROW = "flex flex-wrap items-center gap-2"
_STATUSES = [
    "queued",
    "starting",
    "running",
    "stopping",
    "stopped",
    "completed",
    "failed",
    "lost",
    "processing",
    "ready",
    "error",
    "draft",
]
_STEPS = [
    {"title": "Dataset", "note": "home-captions"},
    {"title": "Model", "note": "Tiny VideoMAE"},
    {"title": "Parameters"},
    {"title": "Review"},
]
_LOSSES = [
    2.4 * math.exp(-step / 60) + 0.35 + 0.22 * math.sin(step * 1.7) * math.exp(-step / 90) for step in range(200)
]


def words() -> rx.Component:
    """Buttons, chips, tags and formatted values."""
    return rx.fragment(
        card(
            button("Primary", variant="primary", on_click=toast("success", "Saved.", "The adapter is on your disk.")),
            button("Outline", on_click=toast("error", "The disk is full.")),
            button("Secondary", variant="secondary"),
            button("Ghost", variant="ghost"),
            button("Stop", icon="circle-stop", variant="destructive"),
            button("Delete", variant="danger"),
            button("Launching", loading=True, variant="primary"),
            button("Disabled", disabled=True),
            button("Small", size="sm"),
            icon_button("x", "Close"),
            tooltip(icon_button("info", "About"), "More on this"),
            title="Buttons",
            note="one primary a view",
            body_class=_ROW,
        ),
        card(*[status_chip(status) for status in _STATUSES], title="Status", note="colour, icon and word", body_class=_ROW),
        card(
            tag("Classification"), badge("3 warnings", tone="warning"), kbd("Ctrl"), avatar("Mira"), spinner(),
            value(1284), value(0.41237, "figure"), value(0.000067, "figure"), value(86.7, "percent", digits=1),
            value(4_600_000_000, "bytes"), value(2_360_000, "compact"), value(1380, "duration"),
            relative_time("2026-01-01T00:00:00Z"), copy_text("loreel up", shown="loreel up"),
            *[swatch(series) for series in range(1, 8)],
            title="Words", body_class=_ROW,
        ),
    )  # fmt: skip


def fields() -> rx.Component:
    """Text controls and a select, with hint and error."""
    return card(
        field(
            "Adapter name",
            text_input(name="name", placeholder="everyday-actions", mono=True),
            hint="Letters, numbers and dashes",
        ),
        field("Rank r", text_input(name="rank", default_value="-1", mono=True), error="The rank must be 1 or more."),
        field(
            "Batch size", text_input(name="batch", default_value="4", mono=True, suffix="clips"), hint="8 clips a step"
        ),
        field("Password", password_input()),
        field(
            "Schedule", select([("cosine", "Cosine"), ("linear", "Linear")], default_value="cosine"), hint="3 % warm-up"
        ),
        field("Note", textarea(name="note", placeholder="What this is for")),
        title="Fields",
        body_class="grid gap-4 md:grid-cols-3",
    )


def choices() -> rx.Component:
    """Checks, switches, segments, presets, steps, tabs."""
    presets = [
        {"value": "quick", "label": "Quick look", "figure": "9 min", "note": "1 epoch, r 8"},
        {"value": "balanced", "label": "Balanced", "figure": "53 min", "note": "6 epochs, r 16"},
        {"value": "best", "label": "Best quality", "figure": "2 h 10 min", "note": "10 epochs, r 32"},
    ]
    return rx.fragment(
        radio_cards(presets, label="Preset", default_value="balanced"),
        rx.el.div(
            card(phone_stepper(_STEPS, 3), stepper(_STEPS, 3), title="Steps"),
            card(
                checkbox("Keep me logged in for 30 days", default_checked=True, name="keep"),
                switch("Differences first", default_checked=True),
                rx.el.div(
                    *[checkbox(name, boxed=True, default_checked=True, note="2.36 M") for name in ("q_proj", "v_proj")],
                    class_name=_ROW,
                ),
                field(
                    "Rank r",
                    segmented(["8", "16", "32", "64"], label="Rank", default_value="16", fill=True),
                    group=True,
                ),
                tabs(["Overview", "Logs"], tab_panel("Overview", "First"), tab_panel("Logs", "Second"), label="Job"),
                title="Choices",
                body_class="flex flex-col gap-4",
            ),
            class_name="grid gap-4 md:grid-cols-2",
        ),
        data_toolbar(
            search_field(),
            segmented(
                [{"value": "all", "label": "All", "count": 8}, {"value": "ready", "label": "Ready", "count": 5}],
                label="Status",
            ),
            right=[
                select(
                    [("new", "Newest first"), ("old", "Oldest first")], default_value="new", muted=True, label="Sort"
                )
            ],
        ),
    )


def overlays() -> rx.Component:
    """What floats."""
    return card(
        dialog("The body.", title="A dialog", description="What it is for.", opener=button("Open dialog"),
               footer=[dialog_close(button("Cancel")), button("Save", variant="primary")]),
        confirm_delete("2 jobs used it; their adapters stay.", what="dataset", name="everyday-actions",
                       on_confirm=toast("success", "Deleted."), opener=button("Delete dataset", icon="trash-2", variant="destructive")),
        dropdown_menu(menu_item("Rename", icon="pencil"), menu_separator(), menu_item("Delete", icon="trash-2", destructive=True), label="More"),
        title="Overlays", body_class=_ROW,
    )  # fmt: skip


def product() -> rx.Component:
    """Cards and lists of the product."""
    figures = metrics(
        metric("Step", "800", "/ 1,290"),
        metric("Epoch", "6.2", "/ 10"),
        metric("Loss", "0.412"),
        metric("Val top-1", "86.7\u202f%"),
    )
    return rx.fragment(
        rx.el.div(
            job_card(name="actions-vjepa2-r16", job_id="22", href="/jobs", status="running", series=1, percent=62,
                     note="everyday-actions · V-JEPA 2 ViT-L", time_left="23 min left", losses=_LOSSES, figures=figures),
            class_name="grid gap-4 md:grid-cols-2",
        ),
        rx.el.div(
            stat_card("Datasets", "8", "6,492 clips", icon_name="film"), stat_card("Train loss", "0.412", "\u22120.031 in 50 steps"),
            stat_card("Speed", "2.86", "2.8 clips/s", unit="s / step"), stat_card("Models", "6", "3 in use", icon_name="boxes"),
            class_name="grid grid-cols-2 gap-4 md:grid-cols-4",
        ),
        card(
            table(
                ["Job", "Status", "Dataset", head_cell("Done", number=True), head_cell("Loss", number=True)],
                row(cell(swatch(1), " actions-vjepa2-r16"), cell(status_chip("running")), cell("everyday-actions", muted=True), cell("62\u202f%", number=True), cell("0.412", number=True)),
                row(cell(swatch(7), " home-qwen25vl-r32"), cell(status_chip("failed")), cell("home-captions", muted=True), cell("38\u202f%", number=True), cell("1.316", number=True)),
                label="Recent jobs",
            ),
            title="Recent jobs", note="23 in all", padded=False,
        ),
        rx.el.div(
            card(timeline(timeline_item(rx.fragment(rx.el.b("wok-smolvlm2"), " started"), "6 min ago", "circle-play"),
                          timeline_item(rx.fragment(rx.el.b("pool"), " failed"), "1 h ago", "circle-x", "destructive")), title="Activity"),
            class_name="grid gap-4 md:grid-cols-2",
        ),
    )  # fmt: skip


def charts() -> rx.Component:
    """The live chart, a bar, a log."""
    history = {
        "loss": [[step + 1, loss] for step, loss in enumerate(_LOSSES)],
        "eval_loss": [[step, 0.4 + 2.4 * math.exp(-step / 60)] for step in range(25, 201, 25)],
    }
    lines = [
        {"time": "09:43:40", "level": "info", "text": "step 800 loss 0.4117 lr 6.69e-05"},
        {"time": "09:43:52", "level": "eval", "text": "val loss 0.4862 top-1 86.7 %"},
        {"time": "09:43:53", "level": "error", "text": "out of memory"},
    ]
    return rx.fragment(
        card(loss_chart(history=history, points={"seq": 1, "items": []}, total_steps=320, series=1)),
        card(
            progress(62, label="Progress", series=2),
            sparkline(_LOSSES, series=2),
            log_view(lines),
            title="Log",
            body_class="flex flex-col gap-4",
        ),
        uploader(""),
    )


def states() -> rx.Component:
    """Loading, empty, error, advice."""
    return rx.el.div(
        loading(skeleton("h-24 w-full"), skeleton("mt-3 h-4 w-1/2")),
        empty_state(
            title="No datasets yet",
            text="Add your clips, or start with the demo.",
            action=button("Add dataset", icon="plus"),
            icon="film",
        ),
        error_state("The list could not be read", "The database did not answer within 5 s.", rx.console_log("retry")),
        callout(
            "Three clips stand out",
            "They run past 30 s and make four times the median.",
            button("Cap at 32 frames", size="sm"),
        ),
        class_name="grid gap-4 md:grid-cols-2",
    )
