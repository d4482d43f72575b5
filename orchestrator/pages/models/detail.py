"""The page at /models/[model_id]: one base model, its layers, pretraining, adapters and jobs."""

from typing import Any

import reflex as rx

from orchestrator.pages.models.dialogs import model_dialogs
from orchestrator.pages.shared.card_text import card_block
from orchestrator.pages.shared.figures import fact_line, figures
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.hub_size import stored_token
from orchestrator.pages.shared.job_links import job_link
from orchestrator.pages.shared.layout import back_to_draft, main_and_side
from orchestrator.pages.shared.loading_states import record_page
from orchestrator.states.adapters.rows import AdapterLine
from orchestrator.states.models.detail import JobLine, ModelDetailState
from orchestrator.states.models.dialogs import ModelDialogsState
from orchestrator.states.models.rows import LayerLine, ModelCard
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.primitives.badge import badge, tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.table import cell, head_cell, row, table

State = ModelDetailState


def _header(model: rx.Var[ModelCard]) -> rx.Component:
    menu = dropdown_menu(
        menu_item("Edit metadata", icon="pencil", on_click=ModelDialogsState.open_edit(model.id)),
        menu_separator(),
        menu_item("Delete", icon="trash-2", destructive=True, on_click=ModelDialogsState.open_delete(model.id)),
        label=f"Actions for {model.name}",
    )
    train = button("Train with this", icon="play", variant="primary", href=f"/jobs/new?model={model.id}")
    try_it = button("Open in playground", icon="play", href=f"/playground?model={model.id}")
    usable = (model.status == "ready") | (model.status == "in_use")
    return page_header(
        model.name,
        note=model.description,
        badges=rx.fragment(status_chip(model.status), tag(model.type), tag(model.architecture)),
        actions=[
            rx.cond(usable, rx.fragment(try_it, train), rx.fragment()),
            rx.cond(model.builtin, rx.fragment(), menu),
        ],
    )


def _layer(layer: rx.Var[LayerLine]) -> rx.Component:
    return row(
        cell(layer.suffix, class_name="font-mono"),
        cell(
            rx.cond(
                layer.default,
                rx.el.span(icon("check", class_name="text-success"), "Adapter", class_name="flex items-center gap-1.5"),
                rx.el.span("Fully trained", class_name="text-muted-foreground"),
            )
        ),
        cell(layer.count, number=True, class_name="touch:hidden"),
        cell(layer.parameters, number=True),
        cell(
            rx.el.span(
                rx.el.span(
                    style={"width": f"{layer.share}%"}, class_name="block h-full rounded-full bg-muted-foreground"
                ),
                aria_hidden=True,
                class_name="block h-1.5 min-w-24 overflow-hidden rounded-full bg-muted",
            ),
            class_name="touch:hidden",
        ),
    )


def _layers() -> rx.Component:
    return card(
        table(
            [
                head_cell("Linear layer"),
                head_cell("By default"),
                head_cell("Count", number=True, class_name="touch:hidden"),
                head_cell("Parameters", number=True),
                head_cell(rx.el.span("Share", class_name="sr-only"), class_name="touch:hidden"),
            ],
            rx.foreach(State.layers, _layer),
            label="Linear layers",
        ),
        title="Layers",
        note=State.layers_note,
        padded=False,
    )


def _pretraining() -> rx.Component:
    return rx.cond(
        State.pretraining.length() > 0,
        card(
            rx.el.p(State.pretraining_text, class_name="text-sm text-muted-foreground"),
            rx.el.p("Right answers on clips it was not trained on:", class_name="mt-3 text-sm text-muted-foreground"),
            rx.el.dl(rx.foreach(State.pretraining, fact_line), class_name="mt-1"),
            rx.cond(
                State.classes_text != "",
                rx.el.p(
                    "Its own classes: " + State.classes_text + ". Fine-tuning replaces them with yours.",
                    class_name="mt-3 text-xs text-muted-foreground",
                ),
                rx.fragment(),
            ),
            title="Pretraining",
        ),
        rx.fragment(),
    )


def _card_text() -> rx.Component:
    return rx.cond(
        State.text.length() > 0,
        card(
            rx.el.div(rx.foreach(State.text, card_block), class_name="flex max-w-prose flex-col gap-2"),
            title="Model card",
        ),
        rx.fragment(),
    )


def _adapter(line: rx.Var[AdapterLine]) -> rx.Component:
    return rx.el.li(
        link(line.label, href=f"/adapters/{line.id}", class_name="min-w-0 truncate", title=line.label),
        rx.cond(line.production, badge("In production", tone="success"), rx.fragment()),
        rx.el.span(line.value, title=line.metric, class_name="ml-auto font-mono text-xs tabular"),
        class_name="flex items-center gap-2 text-sm",
    )


def _linked(title: str, items: rx.Var, render: Any, none: str) -> rx.Component:
    """A card with a list of links, or a sentence while there are none."""
    return card(
        rx.cond(
            items.length() > 0,
            rx.el.ul(rx.foreach(items, render), class_name="flex flex-col gap-2.5"),
            rx.el.p(none, class_name="text-sm text-muted-foreground"),
        ),
        title=title,
    )


def _job(job: rx.Var[JobLine]) -> rx.Component:
    return job_link(job, rx.el.span(status_chip(job.status), class_name="ml-auto"))


def _not_ready(model: rx.Var[ModelCard]) -> rx.Component:
    """How far fetching or checking is, or why it failed and what to do."""
    retry = rx.cond(
        model.can_try_again,
        rx.fragment(stored_token(State), button("Try again", icon="rotate-cw", on_click=State.retry_import)),
        rx.fragment(),
    )
    add_files = rx.cond(
        model.accepts_files,
        button("Add its files", icon="upload", variant="primary", href=f"/models/new?into={model.id}"),
        rx.fragment(),
    )
    failed = empty_state(
        icon="circle-alert",
        title="This model cannot be used",
        text=model.error,
        action=rx.fragment(retry, add_files),
    )
    receiving = empty_state(
        icon="upload",
        title="Its files have not all arrived",
        text="They are being uploaded from another page, or that page was closed. Without them the model is deleted "
        "after two days.",
        action=add_files,
    )
    processing = empty_state(icon="loader-circle", title="Not ready yet", text=model.progress)
    return rx.cond(model.error != "", failed, rx.cond(model.accepts_files, receiving, processing))


def _ready() -> rx.Component:
    return rx.fragment(
        figures(State.figures),
        main_and_side(
            [_layers(), _card_text()],
            [
                card(rx.el.dl(rx.foreach(State.facts, fact_line)), title="Facts"),
                _pretraining(),
                _linked("Adapters made from it", State.adapters, _adapter, "None yet: every completed job makes one."),
                _linked("Training jobs", State.jobs, _job, "No job has trained it yet."),
            ],
        ),
    )


def detail() -> rx.Component:
    """One model."""
    model: Any = State.card
    body = rx.cond((model.error != "") | (model.progress != ""), _not_ready(model), _ready())
    return frame(
        record_page(State, "model", rx.fragment(back_to_draft(), _header(model), body)),
        model_dialogs(),
        title=State.title,
        active="models",
        breadcrumb=[("Models", "/models")],
    )
