"""A dataset as a card: frames of its clips, name, status, statistics, and the jobs that trained on it."""

import reflex as rx

from orchestrator.pages.datasets.bulk_delete import checkbox_of
from orchestrator.pages.datasets.strip import film_strip
from orchestrator.pages.shared.layout import card_head
from orchestrator.states.datasets.dialogs import DatasetDialogsState
from orchestrator.states.datasets.rows import DatasetCard, JobDot
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.progress import swatch
from orchestrator.ui.primitives.status_chip import status_chip


def dataset_menu(row: rx.Var[DatasetCard]) -> rx.Component:
    """The actions for one dataset."""
    return dropdown_menu(
        menu_item("View details", icon="eye", href=f"/datasets/{row.id}"),
        menu_item("Edit metadata", icon="pencil", on_click=DatasetDialogsState.open_edit(row.id)),
        menu_item("Add files", icon="plus", href=f"/datasets/new?into={row.id}"),
        menu_separator(),
        menu_item("Delete", icon="trash-2", destructive=True, on_click=DatasetDialogsState.open_delete(row.id)),
        label=f"Actions for {row.name}",
        variant="ghost",
        size="icon-sm",
    )


def progress_bar(value: rx.Var[float], label: rx.Var[str]) -> rx.Component:
    """A thin bar of 0 to 100 in the colour of processing."""
    return rx.el.div(
        rx.el.div(
            style={"width": f"{value}%"},
            class_name="h-full rounded-full bg-info transition-[width] duration-200",
        ),
        role="progressbar",
        aria_label=label,
        aria_valuemin=0,
        aria_valuemax=100,
        aria_valuenow=value.to(int),
        class_name="h-1.5 w-full overflow-hidden rounded-full bg-muted",
    )


def job_dots(row: rx.Var[DatasetCard]) -> rx.Component:
    """The colours of the jobs that trained on it, and how many there are."""
    return rx.el.div(
        rx.foreach(row.jobs, _dot),
        rx.el.span(row.jobs_text),
        class_name="flex min-h-4 items-center gap-2 text-xs text-muted-foreground",
    )


def _dot(job: rx.Var[JobDot]) -> rx.Component:
    return swatch(job.series, size=8, title=job.name)


def chip(row: rx.Var[DatasetCard]) -> rx.Component:
    """The status as colour, icon and word."""
    return status_chip(row.status, word=row.chip_word)


def _figures(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.span(rx.el.span(row.clips, class_name="text-foreground"), " ", row.clip_word),
            rx.el.span(row.classes),
            rx.el.span(row.size),
            relative_time(row.added_at, class_name="ml-auto"),
            class_name="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted-foreground",
        ),
        job_dots(row),
    )


def _progress(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.span(row.progress_note, class_name="text-muted-foreground"),
            rx.el.span(row.progress_text, class_name="tabular"),
            class_name="flex items-center justify-between gap-3 text-xs",
        ),
        progress_bar(row.progress, row.progress_note),
    )


def _failed(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.el.div(
        rx.el.p(row.error, class_name="line-clamp-3 min-w-0 flex-1 text-xs text-destructive"),
        button("Fix", size="sm", href=f"/datasets/{row.id}", aria_label=f"Fix {row.name}"),
        class_name="flex items-start justify-between gap-3",
    )


def _waiting(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.el.div(
        rx.el.p(row.progress_note, class_name="text-xs text-muted-foreground"),
        button("Add files", size="sm", href=f"/datasets/new?into={row.id}", aria_label=f"Add files to {row.name}"),
        class_name="flex items-center justify-between gap-3",
    )


def _in_review(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.el.div(
        rx.el.p("Its files wait until you accept how they are read.", class_name="text-xs text-muted-foreground"),
        button("Check", size="sm", href=f"/datasets/{row.id}", aria_label=f"Check how {row.name} is read"),
        class_name="flex items-center justify-between gap-3",
    )


def dataset_card(row: rx.Var[DatasetCard]) -> rx.Component:
    """One card; its name is a link that covers the whole card."""
    return rx.el.article(
        film_strip(row.frames),
        rx.el.div(
            checkbox_of(row),
            class_name=(
                "absolute top-2 left-2 z-1 grid place-items-center rounded-md bg-background/80 p-1 touch:*:min-h-0! "
                "opacity-0 transition-opacity group-hover:opacity-100 focus-within:opacity-100 touch:opacity-100 "
                "has-[[data-state=checked]]:opacity-100"
            ),
        ),
        rx.el.div(
            card_head(row.name, f"/datasets/{row.id}", dataset_menu(row)),
            rx.el.div(chip(row), tag(row.task), class_name="flex flex-wrap items-center gap-2"),
            rx.el.div(
                rx.match(
                    row.status,
                    ("processing", _progress(row)),
                    ("uploading", _progress(row)),
                    ("review", _in_review(row)),
                    ("error", _failed(row)),
                    ("draft", _waiting(row)),
                    _figures(row),
                ),
                class_name="relative flex min-h-11 flex-col gap-2 pointer-events-none [&_a]:pointer-events-auto",
            ),
            class_name="flex flex-col gap-3 p-4 pb-5",
        ),
        # Keyed, so that an open menu stays with its dataset when the list changes.
        key=row.id.to_string(),
        class_name="group relative rounded-xl border border-border bg-card transition-colors hover:border-input/60",
    )


def card_skeleton() -> rx.Component:
    """A placeholder of the same size, while the list is read."""
    bar = "animate-shimmer rounded-md bg-muted"
    return rx.el.div(
        rx.el.div(class_name="h-23 rounded-t-xl bg-film"),
        rx.el.div(
            rx.el.div(class_name=f"{bar} h-5 w-40"),
            rx.el.div(class_name=f"{bar} h-6 w-48"),
            rx.el.div(class_name=f"{bar} h-4 w-full"),
            rx.el.div(class_name=f"{bar} h-4 w-32"),
            class_name="flex flex-col gap-3 p-4 pb-5",
        ),
        aria_hidden=True,
        class_name="rounded-xl border border-border bg-card",
    )
