"""The page at /playground: the same clip or search, answered by the base and by an adapter."""

import reflex as rx

from orchestrator.pages.playground.chooser import chooser, earlier
from orchestrator.pages.playground.panels import panels
from orchestrator.pages.playground.scene import scene
from orchestrator.pages.shared.frame import frame
from orchestrator.states.playground.index import PlaygroundState as State
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.copy_item import copy_item
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.error_state import error_state
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu
from orchestrator.ui.primitives.notice import notice
from orchestrator.ui.primitives.skeleton import loading, skeleton
from orchestrator.ui.primitives.values import copy_button


def _code() -> rx.Component:
    """The question as code."""
    openai = copy_item("OpenAI client", State.openai)
    return dropdown_menu(
        copy_item("curl", State.curl),
        copy_item("Python", State.python),
        rx.cond(State.openai != "", openai, rx.fragment()),
        label="Copy as",
        text="Copy as",
        icon="copy",
        size="md",
    )


def _actions() -> list[rx.Component]:
    again = rx.cond(State.panels.length() > 0, "Run again", "Run")
    return [
        rx.cond(State.curl != "", _code(), rx.fragment()),
        rx.cond(State.shareable, copy_button("Copy link"), rx.fragment()),
        button(
            rx.cond(State.searches, "Search", again),
            icon="play",
            variant="primary",
            on_click=State.ask,
            disabled=~State.can_ask,
            loading=State.busy,
        ),
    ]


def _skeletons() -> rx.Component:
    return loading(
        skeleton("h-96 w-full lg:w-80"),
        skeleton("h-96 min-w-0 flex-1"),
        label="Reading models, adapters and datasets",
        class_name="flex flex-col gap-6 lg:flex-row",
    )


def _empty() -> rx.Component:
    return empty_state(
        icon="play",
        title="No model to ask yet",
        text="Add a base model, or wait a moment: the built-in ones are registered when the studio starts.",
        action=button("Add model", icon="plus", variant="primary", href="/models/new"),
    )


def _no_worker() -> rx.Component:
    return rx.cond(
        State.no_worker,
        notice(
            "No worker is running. Start one with ./loreel worker; your choices here stay.",
            tone="warning",
        ),
        rx.fragment(),
    )


def _full() -> rx.Component:
    return rx.fragment(
        _no_worker(),
        rx.el.div(
            rx.el.div(chooser(), class_name="flex w-full shrink-0 flex-col gap-4 lg:w-80"),
            rx.el.div(
                rx.cond(State.searches, rx.fragment(), scene()),
                panels(),
                class_name="flex min-w-0 flex-1 flex-col gap-4",
            ),
            rx.el.div(earlier(), class_name="lg:hidden"),
            class_name="flex flex-col gap-6 lg:flex-row",
        ),
    )


def _body() -> rx.Component:
    return rx.cond(
        ~State.loaded,
        _skeletons(),
        rx.cond(
            State.problem != "",
            error_state("The playground could not be read", text=State.problem, retry=State.load),
            rx.cond(State.bases.length() > 0, _full(), _empty()),
        ),
    )


def index() -> rx.Component:
    """The playground."""
    return frame(
        page_header(
            "Playground",
            note=rx.cond(
                State.searches,
                "The same search through the base and your adapter",
                "The same clip through the base and your adapter",
            ),
            actions=_actions(),
        ),
        _body(),
        title="Playground",
        active="playground",
    )
