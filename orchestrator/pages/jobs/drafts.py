"""The drafts that can be continued: on the page of jobs, and above the first step of a new wizard."""

import reflex as rx

from orchestrator.states.jobs.drafts import DraftLine
from orchestrator.states.jobs.drafts import DraftsState as State
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card


def _draft(line: DraftLine) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(line.title, title=line.title, class_name="truncate text-sm font-medium"),
            rx.el.span(
                line.note,
                ", ",
                relative_time(line.saved_at),
                title=line.note,
                class_name="truncate text-xs text-muted-foreground",
            ),
            class_name="flex min-w-0 flex-1 flex-col",
        ),
        button(
            "Discard",
            variant="ghost",
            size="sm",
            on_click=State.discard(line.id),
            aria_label=f"Discard the draft {line.title}",
        ),
        button(
            "Continue",
            size="sm",
            href=f"/jobs/new?draft={line.id}",
            aria_label=f"Continue the draft {line.title}",
        ),
        class_name="flex items-center gap-2 border-t border-border py-2.5 first:border-t-0 first:pt-0 last:pb-0",
        key=line.id.to_string(),
        custom_attrs={"data-draft": line.id},
    )


def drafts_card() -> rx.Component:
    """A line for each draft, to continue or to discard it; the first few until all are asked for."""
    more = button(
        f"Show {State.hidden} more", variant="ghost", size="sm", on_click=State.show_all, class_name="mt-2 -ml-2"
    )
    none_left = rx.el.p(
        "No draft is left. What you choose in a new job is kept as a draft until you launch it.",
        class_name="text-sm text-muted-foreground",
    )
    listed = rx.fragment(
        rx.el.ul(rx.foreach(State.first_lines, _draft), class_name="-mt-1", aria_label="Drafts"),
        rx.cond(State.hidden > 0, more, rx.fragment()),
    )
    return card(
        rx.cond(State.lines.length() > 0, listed, none_left),
        title="Continue a draft",
        note="kept for 30 days",
        id="drafts",
    )
