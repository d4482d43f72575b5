"""The list of datasets as a table."""

import reflex as rx

from orchestrator.pages.datasets.bulk_delete import checkbox_of, checkbox_of_all
from orchestrator.pages.datasets.card import chip, dataset_menu, job_dots
from orchestrator.pages.datasets.strip import small_strip
from orchestrator.pages.shared.list_toolbar import sort_head
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.states.datasets.rows import DatasetCard
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.table import cell, head_cell, row, table


def _line(item: rx.Var[DatasetCard]) -> rx.Component:
    return row(
        cell(rx.el.div(checkbox_of(item), class_name="flex"), class_name="w-8 pr-0"),
        cell(
            rx.el.div(
                small_strip(item.frames),
                link(
                    item.name,
                    href=f"/datasets/{item.id}",
                    muted=False,
                    class_name="min-w-0 truncate font-medium no-underline",
                    title=item.name,
                ),
                class_name="flex min-w-44 max-w-72 items-center gap-3",
            ),
        ),
        cell(chip(item)),
        cell(item.task, muted=True),
        cell(item.clips, number=True),
        cell(item.size, number=True),
        cell(job_dots(item)),
        cell(
            relative_time(item.added_at),
            muted=True,
            class_name="whitespace-nowrap",
        ),
        cell(dataset_menu(item), class_name="text-right"),
        key=item.id.to_string(),
    )


def dataset_table() -> rx.Component:
    """One row per dataset; scrolls sideways on a phone."""
    return rx.el.section(
        table(
            [
                head_cell(rx.el.div(checkbox_of_all(), class_name="flex")),
                sort_head(DatasetsState, "Name", "name"),
                head_cell("Status"),
                head_cell("Task"),
                sort_head(DatasetsState, "Clips", "clip_count", number=True, falling=True),
                sort_head(DatasetsState, "Size", "size_bytes", number=True, falling=True),
                head_cell("Jobs"),
                sort_head(DatasetsState, "Added", "created_at", falling=True),
                head_cell(rx.el.span("Actions", class_name="sr-only")),
            ],
            rx.foreach(DatasetsState.rows, _line),
            label="Datasets",
        ),
        class_name="overflow-hidden rounded-xl border border-border bg-card",
    )
