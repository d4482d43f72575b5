"""The checklist of a new account, on the overview."""

import reflex as rx

from orchestrator.states.overview.checklist import ChecklistItem
from orchestrator.states.overview.index import OverviewState as State
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link

_LINK = "inline-flex min-h-6 items-center text-left font-medium"


def _item(item: rx.Var[ChecklistItem]) -> rx.Component:
    mark = rx.cond(
        item.done,
        icon("circle-check", size=18, class_name="mt-px shrink-0 text-success"),
        icon("circle", size=18, class_name="mt-px shrink-0 text-muted-foreground"),
    )
    launch = rx.el.button(
        item.title,
        type="button",
        disabled=State.launching_demo,
        on_click=State.train_demo.throttle(1500),
        class_name=f"{_LINK} link-muted cursor-pointer rounded-sm focus-ring",
    )
    title = rx.cond(
        item.done,
        rx.el.span(item.title, rx.el.span(", done", class_name="sr-only"), class_name="text-muted-foreground"),
        rx.cond(
            (item.key == "demo") & (State.demo.href != ""), launch, link(item.title, href=item.href, class_name=_LINK)
        ),
    )
    return rx.el.li(
        mark,
        rx.el.div(
            title,
            rx.el.p(item.note, class_name="text-xs text-muted-foreground"),
            class_name="min-w-0 text-sm",
        ),
        key=item.key,
        custom_attrs={"data-step": item.key, "data-done": item.done},
        class_name="flex min-w-0 items-start gap-2",
    )


def first_steps() -> rx.Component:
    """What a new person does first; nothing once it was put away."""
    shown = card(
        rx.el.ol(
            rx.foreach(State.checklist, _item),
            class_name="grid gap-x-5 gap-y-3 sm:grid-cols-2 lg:grid-cols-5",
        ),
        title="First steps",
        note=f"{State.checklist_done} of {State.checklist.length()} done",
        actions=button("Hide", variant="ghost", size="sm", on_click=State.show_checklist(False), id="checklist-hide"),
        id="first-steps",
    )
    return rx.cond(State.checklist.length() > 0, shown, rx.fragment())
