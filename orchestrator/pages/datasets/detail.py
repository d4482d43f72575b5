"""The page at /datasets/[dataset_id]: one dataset, while its files arrive and when it is ready to train on."""

import reflex as rx

from orchestrator.pages.datasets.annotation import by_annotation
from orchestrator.pages.datasets.card import chip, progress_bar
from orchestrator.pages.datasets.clip_dialog import clip_dialog
from orchestrator.pages.datasets.clips import clip_grid, damaged_files
from orchestrator.pages.datasets.conversion_dialog import conversion_dialog
from orchestrator.pages.datasets.dialogs import dataset_dialogs
from orchestrator.pages.datasets.doctor import doctor, edits
from orchestrator.pages.datasets.facts import class_balance, clip_lengths, frame_sizes
from orchestrator.pages.datasets.layout_view import layout_card
from orchestrator.pages.datasets.not_used import not_used
from orchestrator.pages.datasets.reading_dialog import reading_dialog
from orchestrator.pages.datasets.review import review
from orchestrator.pages.datasets.splits_dialog import splits_dialog
from orchestrator.pages.shared.figures import figures
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.hub_size import stored_token
from orchestrator.pages.shared.job_links import job_link
from orchestrator.pages.shared.layout import back_to_draft
from orchestrator.pages.shared.loading_states import BAR, record_page
from orchestrator.services.datasets.export_formats import FORMATS
from orchestrator.states.datasets.conversions import DatasetConversionState
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.states.datasets.dialogs import DatasetDialogsState
from orchestrator.states.datasets.doctor import DatasetDoctorState
from orchestrator.states.datasets.rows import DatasetCard
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.icon import icon

State = DatasetDetailState


def _export(row: rx.Var[DatasetCard], text: str, form: str) -> rx.Component:
    address = f"/api/v1/datasets/{row.id}/export?format={form}"
    return menu_item(text, icon="download", on_click=rx.download(url=address))


def _menu(row: rx.Var[DatasetCard]) -> rx.Component:
    has_clips = State.facts.length() > 0
    return dropdown_menu(
        menu_item("Edit metadata", icon="pencil", on_click=DatasetDialogsState.open_edit(row.id)),
        rx.cond(
            State.editable & has_clips,
            rx.fragment(
                menu_item(
                    "Split into train and validation", icon="split", on_click=DatasetDoctorState.show_splits(True)
                ),
                menu_item(
                    "Convert annotations",
                    icon="arrow-left-right",
                    on_click=DatasetConversionState.open_conversions("", ""),
                ),
            ),
            rx.fragment(),
        ),
        rx.cond(
            has_clips,
            rx.fragment(*[_export(row, f"Export as {title}", form) for form, (title, _) in FORMATS.items()]),
            rx.fragment(),
        ),
        menu_separator(),
        menu_item("Delete", icon="trash-2", destructive=True, on_click=DatasetDialogsState.open_delete(row.id)),
        label=f"Actions for {row.name}",
    )


def _header(row: rx.Var[DatasetCard]) -> rx.Component:
    add = button("Add files", icon="plus", href=f"/datasets/new?into={row.id}")
    train = button("Train on this", icon="play", variant="primary", href=f"/jobs/new?dataset={row.id}")
    return page_header(
        row.name,
        note=rx.el.span(
            rx.cond(row.description != "", rx.el.span(row.description, " ", class_name="whitespace-pre-line"), ""),
            "Added ",
            relative_time(row.added_at),
            ".",
        ),
        badges=rx.fragment(chip(row), tag(row.task)),
        actions=[
            rx.cond(row.is_demo | row.busy | (row.status == "review"), rx.fragment(), add),
            rx.cond(State.trainable, train, rx.fragment()),
            _menu(row),
        ],
    )


def _progress(row: rx.Var[DatasetCard]) -> rx.Component:
    return card(
        rx.el.div(
            rx.el.p(row.progress_note, class_name="text-sm font-medium"),
            rx.el.p(row.progress_text, class_name="text-sm tabular text-muted-foreground"),
            class_name="mb-2 flex items-center justify-between gap-3",
        ),
        progress_bar(row.progress, row.progress_note),
        rx.el.div(
            rx.el.p(
                rx.cond(
                    row.status == "uploading",
                    "Its files are still being sent from another page, or that page was closed.",
                    "Every clip is opened and checked. You can leave this page; the work continues.",
                ),
                class_name="text-xs text-muted-foreground",
            ),
            rx.cond(
                row.status == "uploading",
                button("Continue the upload", icon="upload", size="sm", href=f"/datasets/new?into={row.id}"),
                rx.fragment(),
            ),
            rx.cond(
                (row.status == "processing") & ~row.is_demo,
                alert_dialog(
                    title="Stop reading?",
                    description="The files that were added for it are deleted from this server and have to be added again. "
                    "Clips that were here before stay.",
                    confirm="Stop and delete them",
                    cancel="Keep reading",
                    on_confirm=State.cancel,
                    opener=button("Stop", icon="x", size="sm", aria_label="Stop reading this dataset"),
                ),
                rx.fragment(),
            ),
            class_name="mt-3 flex items-center justify-between gap-3",
        ),
        aria_live="polite",
    )


def _failed(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            icon("circle-alert", class_name="mt-0.5 text-destructive"),
            rx.el.div(
                rx.el.h2("These files cannot be used yet", class_name="text-sm font-semibold"),
                rx.el.p(row.error, class_name="mt-1 text-sm break-words"),
                rx.el.p(
                    rx.cond(
                        row.source != "",
                        "It came from "
                        + row.source
                        + rx.cond(
                            State.partly_fetched,
                            ".",
                            rx.cond(
                                State.correctable,
                                ". The files are stored here: correct below how they are read.",
                                ". None of its files were kept.",
                            ),
                        ),
                        rx.cond(
                            State.correctable,
                            "The files are stored here: correct below how they are read, or add others instead.",
                            "None of the uploaded files were kept. Correct them and add them again.",
                        ),
                    ),
                    class_name="mt-1 text-sm break-words text-muted-foreground",
                ),
                class_name="min-w-0",
            ),
            class_name="flex gap-3",
        ),
        rx.el.div(
            rx.cond(
                row.source != "",
                rx.fragment(
                    rx.cond(State.from_hub, stored_token(State), rx.fragment()),
                    button("Fetch again", icon="rotate-cw", variant="primary", on_click=State.fetch_again),
                ),
                rx.fragment(),
            ),
            rx.cond(
                State.correctable,
                button(
                    by_annotation(State.annotation, lambda kind: kind.spec.write_here, ""),
                    icon="pencil",
                    on_click=State.write_by_hand,
                ),
                rx.fragment(),
            ),
            button(
                "Add files",
                icon="plus",
                variant=rx.cond(row.source != "", "outline", "primary"),
                href=f"/datasets/new?into={row.id}",
            ),
            button("Delete", icon="trash-2", on_click=DatasetDialogsState.open_delete(row.id)),
            class_name="mt-4 flex flex-wrap gap-2 pl-7",
        ),
        role="alert",
        class_name="rounded-xl border border-destructive/45 bg-destructive/8 p-5 touch:p-4",
    )


def _not_added() -> rx.Component:
    return _dismissible(
        "The last files were not added",
        icon("triangle-alert", class_name="mt-0.5 shrink-0 text-warning"),
        rx.el.p(State.not_added, class_name="mt-1 text-sm break-words"),
        rx.el.p("The clips that were here before are unchanged.", class_name="text-sm text-muted-foreground"),
        class_name="border-warning/45 bg-warning/8",
    )


def _duplicates() -> rx.Component:
    return _dismissible(
        "Added again",
        icon("info", class_name="mt-0.5 shrink-0 text-info"),
        rx.el.p(State.duplicates_note, class_name="mt-1 text-sm break-words"),
        class_name="border-border bg-card",
    )


def _dismissible(title: str, mark: rx.Component, *text: rx.Component, class_name: str) -> rx.Component:
    return rx.el.section(
        mark,
        rx.el.div(rx.el.h2(title, class_name="text-sm font-semibold"), *text, class_name="min-w-0 flex-1"),
        button("Dismiss", size="sm", variant="ghost", on_click=State.dismiss),
        role="status",
        class_name=f"flex gap-3 rounded-xl border p-4 {class_name}",
    )


def _jobs(row: rx.Var[DatasetCard]) -> rx.Component:
    return card(
        rx.cond(
            row.jobs.length() > 0,
            rx.el.ul(rx.foreach(row.jobs, job_link), class_name="flex flex-col gap-2"),
            rx.el.p("No job has trained on it yet.", class_name="text-sm text-muted-foreground"),
        ),
        title="Training jobs",
        note=rx.cond(row.jobs.length() > 0, row.jobs_text, ""),
    )


def _body(row: rx.Var[DatasetCard]) -> rx.Component:
    return rx.fragment(
        figures(State.facts),
        rx.cond(State.not_added != "", _not_added(), rx.fragment()),
        rx.cond(State.duplicates_note != "", _duplicates(), rx.fragment()),
        not_used(),
        rx.match(
            row.status,
            ("processing", _progress(row)),
            ("uploading", _progress(row)),
            ("review", review()),
            ("error", _failed(row)),
            (
                "draft",
                empty_state(
                    icon="upload",
                    title="No files yet",
                    text="Add single clips, folders, or a zip or tar of them.",
                    action=button("Add files", icon="plus", variant="primary", href=f"/datasets/new?into={row.id}"),
                ),
            ),
            rx.fragment(),
        ),
        rx.cond(
            (State.facts.length() > 0) | State.editable,
            rx.el.div(
                rx.el.div(clip_grid(), clip_lengths(), class_name="flex min-w-0 flex-col gap-4"),
                rx.el.div(
                    doctor(),
                    class_balance(),
                    frame_sizes(),
                    damaged_files(),
                    edits(),
                    layout_card(),
                    _jobs(row),
                    class_name="flex min-w-0 flex-col gap-4",
                ),
                class_name="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]",
            ),
            rx.fragment(damaged_files(), layout_card()),
        ),
    )


def _tiles() -> rx.Component:
    tiles = [rx.el.div(class_name=f"{BAR} aspect-[4/3]") for _ in range(12)]
    return rx.el.div(*tiles, class_name="grid grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-3")


def detail() -> rx.Component:
    """One dataset."""
    full = rx.fragment(back_to_draft(), _header(State.card), _body(State.card))
    return frame(
        record_page(State, "dataset", full, _tiles()),
        dataset_dialogs(),
        clip_dialog(),
        reading_dialog(),
        splits_dialog(),
        conversion_dialog(),
        title=State.title,
        active="datasets",
        breadcrumb=[("Datasets", "/datasets")],
    )
