"""The page at /datasets: every dataset of the person, as cards or as a table."""

import reflex as rx

from orchestrator.pages.datasets.bulk_delete import chosen_bar, many_dialog
from orchestrator.pages.datasets.card import card_skeleton, dataset_card
from orchestrator.pages.datasets.dialogs import dataset_dialogs
from orchestrator.pages.datasets.listing import dataset_table
from orchestrator.pages.datasets.toolbar import toolbar
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.loading_states import more, unreadable
from orchestrator.pages.shared.notice import notice
from orchestrator.states.datasets.index import DatasetsState
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.uploader.drop_link import drop_link

GRID = "grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4"


def _invitation() -> rx.Component:
    """The last card: clips dropped on it go along to the add page."""
    return drop_link(
        rx.el.span(
            icon("upload"), class_name="grid size-10 place-items-center rounded-full bg-muted text-muted-foreground"
        ),
        rx.el.span("Drop clips or a zip here", class_name="mt-3 text-sm font-semibold"),
        rx.el.span(
            "mp4, mov, avi, webm. Loreel finds the labels and captions that came with them.",
            class_name="mt-1 max-w-52 text-xs text-muted-foreground",
        ),
        href="/datasets/new",
        class_name=(
            "flex min-h-59 flex-col items-center justify-center rounded-xl border border-dashed border-input p-6 "
            "text-center no-underline transition-colors hover:border-primary"
        ),
    )


def _empty() -> rx.Component:
    return notice(
        "film",
        "No datasets yet",
        "Bring short clips with their labels or captions, as files, folders or an archive. Every clip is checked.",
        button("Add dataset", icon="plus", variant="primary", href="/datasets/new"),
    )


def _nothing_found() -> rx.Component:
    return notice(
        "search-x",
        "No dataset matches",
        "Try another word, or look at all of them.",
        button("Clear filters", on_click=DatasetsState.clear_filters),
    )


def _full() -> rx.Component:
    return rx.fragment(
        chosen_bar(),
        rx.cond(
            DatasetsState.view == "table",
            dataset_table(),
            rx.el.div(rx.foreach(DatasetsState.rows, dataset_card), _invitation(), class_name=GRID),
        ),
        more(DatasetsState, "datasets"),
    )


def _body() -> rx.Component:
    return rx.cond(
        DatasetsState.problem != "",
        unreadable(DatasetsState, "The datasets"),
        rx.cond(
            ~DatasetsState.loaded,
            rx.el.div(
                *[card_skeleton() for _ in range(6)], class_name=GRID, role="status", aria_label="Reading datasets"
            ),
            rx.cond(
                DatasetsState.rows.length() > 0, _full(), rx.cond(DatasetsState.filtered, _nothing_found(), _empty())
            ),
        ),
    )


def index() -> rx.Component:
    """The list of datasets."""
    return frame(
        page_header(
            "Datasets",
            note=rx.el.span(DatasetsState.summary, class_name="block min-h-5"),
            actions=button("Add dataset", icon="plus", variant="primary", href="/datasets/new"),
        ),
        toolbar(),
        _body(),
        dataset_dialogs(),
        many_dialog(),
        title="Datasets",
        active="datasets",
    )
