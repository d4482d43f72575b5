"""The page at /datasets: the user's datasets, as cards or as a table."""

import reflex as rx

from orchestrator.pages.datasets.bulk_delete import bulk_delete_dialog, chosen_bar
from orchestrator.pages.datasets.card import card_skeleton, dataset_card
from orchestrator.pages.datasets.dialogs import dataset_dialogs
from orchestrator.pages.datasets.listing import dataset_table
from orchestrator.pages.datasets.toolbar import toolbar
from orchestrator.pages.shared.frame import list_page
from orchestrator.pages.shared.layout import CARD_GRID
from orchestrator.pages.shared.loading_states import list_content, paging_controls
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.uploader.drop_link import drop_link


def _drop_card() -> rx.Component:
    """The last card: clips dropped on it are taken to the page that adds a dataset."""
    return drop_link(
        rx.el.span(
            icon("upload"), class_name="grid size-10 place-items-center rounded-full bg-muted text-muted-foreground"
        ),
        rx.el.span("Drop clips or a zip here", class_name="mt-3 text-sm font-semibold"),
        rx.el.span(
            "mp4, mov, avi, webm. Labels and captions that come with them are detected.",
            class_name="mt-1 max-w-52 text-xs text-muted-foreground",
        ),
        href="/datasets/new",
        class_name=(
            "flex min-h-59 flex-col items-center justify-center rounded-xl border border-dashed border-input p-6 "
            "text-center no-underline transition-colors hover:border-primary"
        ),
    )


def _rows() -> rx.Component:
    cards = rx.el.div(rx.foreach(DatasetsState.rows, dataset_card), _drop_card(), class_name=CARD_GRID)
    return rx.fragment(
        chosen_bar(),
        rx.cond(DatasetsState.view == "table", dataset_table(), cards),
        paging_controls(DatasetsState, "datasets"),
    )


def index() -> rx.Component:
    """The list of datasets."""
    add = button("Add dataset", icon="plus", variant="primary", href="/datasets/new")
    empty = empty_state(
        icon="film",
        title="No datasets yet",
        text="Add short clips with their labels or captions, as files, folders or an archive. Every clip is checked.",
        action=add,
    )
    skeletons = [card_skeleton() for _ in range(6)]
    return list_page(
        DatasetsState,
        "datasets",
        toolbar(),
        list_content(DatasetsState, "datasets", _rows(), empty, *skeletons, grid=CARD_GRID),
        dataset_dialogs(),
        bulk_delete_dialog(),
        actions=add,
    )
