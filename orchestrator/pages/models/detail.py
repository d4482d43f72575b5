"""The page at /models/[model_id]: one base model, what is in it and what it can do."""

import reflex as rx

from orchestrator.pages.models.dialogs import model_dialogs
from orchestrator.pages.shared.figures import figure
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.hub_size import stored_token
from orchestrator.pages.shared.loading_states import one
from orchestrator.pages.shared.notice import notice
from orchestrator.states.adapters.rows import AdapterLine
from orchestrator.states.models.detail import JobLine, ModelDetailState
from orchestrator.states.models.dialogs import ModelDialogs
from orchestrator.states.models.rows import LayerLine, ModelCard
from orchestrator.states.shared.markdown import CardBlock
from orchestrator.states.shared.presentation import Fact
from orchestrator.ui.layout.shell import page_header
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
        menu_item("Edit metadata", icon="pencil", on_click=ModelDialogs.open_edit(model.id)),
        menu_separator(),
        menu_item("Delete", icon="trash-2", destructive=True, on_click=ModelDialogs.open_delete(model.id)),
        label=f"Actions for {model.name}",
    )
    train = button("Train with this", icon="play", variant="primary", href=f"/jobs/new?model={model.id}")
    try_it = button("Try it", icon="film", href=f"/playground?model={model.id}")
    usable = (model.status == "ready") | (model.status == "in_use")
    return page_header(
        model.name,
        note=model.description,
        beside=rx.fragment(status_chip(model.status), tag(model.type), tag(model.architecture)),
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
                rx.el.span("Trained whole", class_name="text-muted-foreground"),
            )
        ),
        cell(layer.count, number=True),
        cell(layer.parameters, number=True),
        cell(
            rx.el.span(
                rx.el.span(
                    style={"width": f"{layer.share}%"}, class_name="block h-full rounded-full bg-muted-foreground"
                ),
                aria_hidden=True,
                class_name="block h-1.5 min-w-24 overflow-hidden rounded-full bg-muted",
            )
        ),
    )


def _layers() -> rx.Component:
    return card(
        table(
            [
                head_cell("Linear layer"),
                head_cell("By default"),
                head_cell("How many", number=True),
                head_cell("Parameters", number=True),
                head_cell(rx.el.span("Share", class_name="sr-only")),
            ],
            rx.foreach(State.layers, _layer),
            label="Linear layers",
        ),
        title="Layers",
        note=State.layers_note,
        padded=False,
    )


def _line(fact: rx.Var[Fact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact.caption, class_name="shrink-0 text-muted-foreground"),
        rx.el.dd(fact.value, title=fact.title, class_name="min-w-0 truncate text-right tabular"),
        class_name="flex items-baseline justify-between gap-4 py-1 text-sm",
    )


def _pretraining() -> rx.Component:
    return rx.cond(
        State.pretraining.length() > 0,
        card(
            rx.el.p(State.pretraining_text, class_name="text-sm text-muted-foreground"),
            rx.el.p("Right answers on clips it never saw:", class_name="mt-3 text-sm text-muted-foreground"),
            rx.el.dl(rx.foreach(State.pretraining, _line), class_name="mt-1"),
            rx.cond(
                State.classes_text != "",
                rx.el.p(
                    "Its own classes: " + State.classes_text + ". A fine-tune puts yours in their place.",
                    class_name="mt-3 text-xs text-muted-foreground",
                ),
                rx.fragment(),
            ),
            title="Pretraining",
        ),
        rx.fragment(),
    )


def _block(block: rx.Var[CardBlock]) -> rx.Component:
    return rx.fragment(
        rx.match(
            block.kind,
            ("heading", rx.el.h3(block.text, class_name="mt-2 text-sm font-semibold")),
            (
                "code",
                rx.el.pre(
                    block.text,
                    tab_index=0,
                    class_name="overflow-x-auto rounded-lg bg-muted p-3 font-mono text-xs leading-5",
                ),
            ),
            rx.el.p(block.text, class_name="text-sm text-muted-foreground"),
        )
    )


def _card_text() -> rx.Component:
    return rx.cond(
        State.text.length() > 0,
        card(
            rx.el.div(rx.foreach(State.text, _block), class_name="flex max-w-prose flex-col gap-2"),
            title="Model card",
        ),
        rx.fragment(),
    )


def _job(job: rx.Var[JobLine]) -> rx.Component:
    return rx.el.li(
        rx.el.span(style={"backgroundColor": job.color}, class_name="size-2.5 shrink-0 rounded-sm", aria_hidden=True),
        link(job.name, href=f"/jobs/{job.id}", class_name="min-w-0 truncate"),
        rx.el.span(status_chip(job.status), class_name="ml-auto"),
        class_name="flex items-center gap-2 text-sm",
    )


def _jobs() -> rx.Component:
    return card(
        rx.cond(
            State.jobs.length() > 0,
            rx.el.ul(rx.foreach(State.jobs, _job), class_name="flex flex-col gap-2.5"),
            rx.el.p("No job has trained it yet.", class_name="text-sm text-muted-foreground"),
        ),
        title="Training jobs",
    )


def _adapter(line: rx.Var[AdapterLine]) -> rx.Component:
    return rx.el.li(
        link(line.label, href=f"/adapters/{line.id}", class_name="min-w-0 truncate"),
        rx.cond(line.production, badge("In production", tone="success"), rx.fragment()),
        rx.el.span(line.value, title=line.measure, class_name="ml-auto font-mono text-xs tabular"),
        class_name="flex items-center gap-2 text-sm",
    )


def _adapters() -> rx.Component:
    return card(
        rx.cond(
            State.adapters.length() > 0,
            rx.el.ul(rx.foreach(State.adapters, _adapter), class_name="flex flex-col gap-2.5"),
            rx.el.p("None yet: every completed job makes one.", class_name="text-sm text-muted-foreground"),
        ),
        title="Adapters made from it",
    )


def _state(model: rx.Var[ModelCard]) -> rx.Component:
    """How far bringing it is, or why it failed and what to do."""
    again = rx.cond(
        model.can_try_again,
        rx.fragment(stored_token(State), button("Try again", icon="rotate-cw", on_click=State.try_again)),
        rx.fragment(),
    )
    files = rx.cond(
        model.takes_files,
        button("Add its files", icon="upload", variant="primary", href=f"/models/new?into={model.id}"),
        rx.fragment(),
    )
    waiting = notice(
        "upload",
        "Its files have not all arrived",
        "They are still being sent from another page, or that page was closed. After two days without them it is "
        "given up.",
        files,
    )
    return rx.cond(
        model.error != "",
        notice("circle-alert", "This model cannot be used", model.error, again, files),
        rx.cond(
            model.takes_files,
            waiting,
            rx.cond(model.progress != "", notice("loader-circle", "On its way", model.progress), rx.fragment()),
        ),
    )


def _body(model: rx.Var[ModelCard]) -> rx.Component:
    return rx.cond((model.error != "") | (model.progress != ""), _state(model), _ready())


def _ready() -> rx.Component:
    return rx.fragment(
        rx.el.dl(rx.foreach(State.facts, figure), class_name="flex flex-wrap gap-y-3"),
        rx.el.div(
            rx.el.div(_layers(), _card_text(), class_name="flex min-w-0 flex-col gap-4"),
            rx.el.div(
                card(rx.el.dl(rx.foreach(State.rows_of_facts, _line)), title="Facts"),
                _pretraining(),
                _adapters(),
                _jobs(),
                class_name="flex min-w-0 flex-col gap-4",
            ),
            class_name="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]",
        ),
    )


def detail() -> rx.Component:
    """One model."""
    full = rx.fragment(_header(State.card), _body(State.card))
    return frame(
        one(State, "model", full),
        model_dialogs(),
        title=State.title,
        active="models",
        breadcrumb=[("Models", "/models")],
    )
