"""The drafts that can be continued, above the first step of a new wizard."""

import reflex as rx

from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_rows import DraftLine
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
            on_click=JobFormState.discard(line.id),
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


def other_drafts() -> rx.Component:
    """A line for each draft, to continue or to discard it."""
    return card(
        rx.el.ul(
            rx.foreach(JobFormState.drafts, _draft),
            class_name="-mt-1 max-h-60 overflow-y-auto",
            aria_label="Drafts",
        ),
        title="Continue your draft",
        note="kept for 30 days",
        id="drafts",
    )
