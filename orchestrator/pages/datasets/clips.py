"""The clips of a dataset: filters, the grid, the actions for chosen ones, and damaged files with their reasons."""

from typing import assert_never

import reflex as rx

from orchestrator.domain.tasks import Annotation
from orchestrator.pages.datasets.annotation import by_annotation
from orchestrator.pages.shared.loading_states import paging_bar
from orchestrator.states.datasets.clips import DatasetClipsState
from orchestrator.states.datasets.detail import ALL_CLASSES, DatasetDetailState
from orchestrator.states.datasets.rows import ClipTile
from orchestrator.ui.patterns.clip_player import clip_player
from orchestrator.ui.patterns.inline_edit import inline_edit
from orchestrator.ui.patterns.toolbar import search_field
from orchestrator.ui.primitives.button import button, icon_button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox
from orchestrator.ui.primitives.combobox import combobox
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select

State = DatasetDetailState
GRID = "grid grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-x-3 gap-y-4"
SPLIT_CHOICES = [("train", "Train"), ("validation", "Validation"), ("auto", "Not assigned")]
SPLIT_FILTERS = [("any", "All splits"), *SPLIT_CHOICES]
CLASSES = State.labels[1:]
"""The classes that exist; the first choice of the filter is "all"."""
NEW_CLASS = "New class"
_STATUSES = [("ok", "In use"), ("quarantined", "Left out")]
_ALL_CHOSEN = (DatasetClipsState.all_count > 0) & (DatasetClipsState.all_filters_key == State.filters_key)
"""All clips that match the current filters are chosen."""
_NOT_SHOWN = rx.Var(
    f"({DatasetClipsState.chosen}.filter((id) => !{State.tiles}.some((tile) => tile.id === id)).length)"
).to(int)
"""How many of the clips chosen one by one the grid does not show."""


def _annotation_text(kind: Annotation, tile: rx.Var[ClipTile]) -> rx.Component:
    """The clip's label or caption, where it cannot be edited."""
    match kind:
        case Annotation.LABEL:
            return rx.el.span(tile.label, title=tile.label, class_name="min-w-0 truncate font-medium")
        case Annotation.CAPTION:
            return rx.el.span(tile.caption, title=tile.caption, class_name="line-clamp-2 min-w-0 break-words")
        case _:
            assert_never(kind)


def _bulk_annotation(kind: Annotation) -> rx.Component:
    """Changes the annotation of all chosen clips."""
    match kind:
        case Annotation.LABEL:
            return rx.el.form(
                combobox(
                    CLASSES,
                    value=DatasetClipsState.bulk_label,
                    on_change=DatasetClipsState.type_bulk_label,
                    noun="classes",
                    fresh=NEW_CLASS,
                    placeholder="New label",
                    max_length=kind.max_length,
                    aria_label="New label",
                    class_name="w-44",
                ),
                button(
                    "Set label",
                    size="sm",
                    submit=True,
                    title="The only label of the chosen clips",
                    class_name="mt-0.5 touch:mt-0",
                ),
                button(
                    "Add",
                    size="sm",
                    variant="ghost",
                    aria_label="Add this label",
                    title="To the labels that the chosen clips have",
                    on_click=DatasetClipsState.add_label_to_chosen,
                    class_name="mt-0.5 touch:mt-0",
                ),
                button(
                    "Remove",
                    size="sm",
                    variant="ghost",
                    aria_label="Remove this label",
                    title="From the labels that the chosen clips have",
                    on_click=DatasetClipsState.remove_label_from_chosen,
                    class_name="mt-0.5 touch:mt-0",
                ),
                on_submit=DatasetClipsState.label_chosen,
                class_name="flex flex-wrap items-start gap-2",
            )
        case Annotation.CAPTION:
            return _replace_form()
        case _:
            assert_never(kind)


def _annotation(tile: rx.Var[ClipTile]) -> rx.Component:
    """The label or caption of a clip, which can be edited in place."""
    split = rx.el.span(tile.split, class_name="shrink-0 text-muted-foreground")
    shown = "mt-1 text-xs"
    plain = rx.el.p(
        by_annotation(State.annotation, lambda kind: _annotation_text(kind, tile), rx.fragment()),
        split,
        class_name=f"flex items-baseline justify-between gap-2 py-0.5 {shown}",
    )
    refusal = DatasetClipsState.refusal
    field = inline_edit(
        split,
        value=by_annotation(State.annotation, lambda kind: getattr(tile, kind.value), ""),
        what=by_annotation(State.annotation, lambda kind: kind.spec.word.capitalize(), ""),
        of=tile.name,
        on_save=lambda text: DatasetClipsState.rewrite(tile.id, text),
        multiline=by_annotation(State.annotation, lambda kind: kind.spec.multiline, False),
        most=by_annotation(State.annotation, lambda kind: kind.max_length, 0),
        problem=rx.cond(refusal.clip_id == tile.id, refusal.sentence, ""),
        attempt=refusal.count,
        options=CLASSES,
        noun="classes",
        fresh=NEW_CLASS,
        class_name=shown,
    )
    in_dialog = by_annotation(
        State.annotation, lambda kind: tile.has_several_labels if kind is Annotation.LABEL else False, False
    )
    return rx.cond(State.editable & ~in_dialog, field, plain)


def _tile(tile: rx.Var[ClipTile]) -> rx.Component:
    over = "absolute top-1.5 grid place-items-center rounded-md bg-background/80"
    return rx.el.li(
        rx.el.div(
            clip_player(tile.thumbnail, tile.preview, tile.facts, tile.duration),
            rx.cond(
                State.editable,
                rx.el.div(
                    checkbox(
                        checked=_ALL_CHOSEN | DatasetClipsState.chosen.contains(tile.id),
                        on_change=lambda on: DatasetClipsState.choose(tile.id, on),
                        aria_label="Choose " + tile.name,
                    ),
                    # A touch near the checkbox counts, so that it need not be as tall as a finger.
                    class_name=f"{over} left-1.5 p-1 touch:*:min-h-0!",
                ),
                rx.fragment(),
            ),
            rx.el.div(
                icon_button(
                    "maximize-2",
                    "Open " + tile.name,
                    size="icon-sm",
                    on_click=DatasetClipsState.open_clip(tile.id),
                    # The button is larger for a finger than it looks, so that the frames stay visible.
                    class_name="touch:min-h-0! touch:min-w-0! touch:after:absolute touch:after:-inset-2 touch:after:content-['']",
                ),
                class_name=f"{over} right-1.5",
            ),
            class_name="relative",
        ),
        _annotation(tile),
        key=tile.id.to_string(),
        class_name="min-w-0",
    )


def _filters() -> rx.Component:
    return rx.el.div(
        rx.el.h2("Clips", class_name="mr-2 text-sm font-semibold"),
        select(_STATUSES, value=State.status, on_change=State.filter_status, label="Use", muted=True),
        select(
            SPLIT_FILTERS,
            value=rx.cond(State.split == "", "any", State.split),
            on_change=State.filter_split,
            label="Split",
            muted=True,
        ),
        rx.cond(
            State.has_classes & (State.labels.length() > 2),
            select(
                State.labels,
                value=rx.cond(State.label == "", ALL_CLASSES, State.label),
                on_change=State.filter_label,
                label="Class",
                muted=True,
            ),
            rx.fragment(),
        ),
        rx.el.div(
            search_field(value=State.q, on_change=State.search, placeholder="Find a clip", label="Find a clip"),
            class_name="ml-auto touch:ml-0 touch:w-full",
        ),
        class_name="mb-3 flex min-h-9 flex-wrap items-center gap-2",
    )


def _finding_header() -> rx.Component:
    """Takes the place of the filters while the clips of one finding are shown."""
    return rx.el.div(
        rx.el.h2("Clips", class_name="mr-2 text-sm font-semibold"),
        rx.el.p(State.finding_title, role="status", class_name="min-w-0 text-sm text-muted-foreground"),
        button("Show all clips", size="sm", on_click=State.show_finding(""), class_name="ml-auto"),
        class_name="mb-3 flex min-h-9 flex-wrap items-center gap-2",
    )


def _replace_form() -> rx.Component:
    """Replaces a text, such as a name, in the captions of the chosen clips."""
    bulk = DatasetClipsState
    return rx.el.form(
        text_input(
            value=bulk.bulk_find,
            on_change=bulk.type_bulk_find,
            placeholder="Words in captions",
            aria_label="Words in captions",
            class_name="w-40",
        ),
        text_input(
            value=bulk.bulk_replacement,
            on_change=bulk.type_bulk_replacement,
            placeholder="Replace with",
            aria_label="Replace with",
            class_name="w-40",
        ),
        button("Replace", size="sm", submit=True),
        on_submit=bulk.replace_in_chosen,
        class_name="flex flex-wrap items-center gap-2",
    )


def _chosen_bar() -> rx.Component:
    """The actions for the chosen clips."""
    bulk = DatasetClipsState
    return rx.cond(
        bulk.chosen.length() > 0,
        rx.el.div(
            rx.el.div(
                rx.el.span(
                    bulk.chosen_text,
                    rx.cond(
                        bulk.all_count > 0,
                        rx.cond(_ALL_CHOSEN, "", ", by other filters"),
                        rx.cond(_NOT_SHOWN > 0, rx.fragment(", ", _NOT_SHOWN, " not shown"), ""),
                    ),
                    class_name="text-sm font-medium",
                ),
                button("Select all visible", size="sm", variant="ghost", on_click=bulk.choose_shown),
                rx.cond(
                    State.matching > State.tiles.length(),
                    button(
                        "Choose all ",
                        State.matching_text,
                        size="sm",
                        variant="ghost",
                        on_click=bulk.choose_matching,
                    ),
                    rx.fragment(),
                ),
                by_annotation(State.annotation, _bulk_annotation, rx.fragment()),
                select(
                    SPLIT_CHOICES,
                    value="",
                    on_change=bulk.split_chosen,
                    label="Move to",
                    placeholder="Move to",
                    muted=True,
                ),
                rx.cond(
                    (State.status == "ok") | (State.finding_title != ""),  # a finding shows both kinds
                    button("Leave out", size="sm", icon="eye-off", on_click=bulk.leave_out_chosen),
                    rx.fragment(),
                ),
                rx.cond(
                    (State.status != "ok") | (State.finding_title != ""),
                    button("Take back in", size="sm", icon="eye", on_click=bulk.take_back_chosen),
                    rx.fragment(),
                ),
                button("Clear", size="sm", variant="ghost", on_click=bulk.choose_none),
                class_name="flex flex-wrap items-center gap-2",
            ),
            rx.cond(
                bulk.bulk_problem != "",
                rx.el.p(bulk.bulk_problem, role="alert", class_name="text-sm text-destructive"),
                rx.fragment(),
            ),
            role="region",
            aria_label="Chosen clips",
            class_name="sticky top-16 z-10 mb-3 flex flex-col gap-2 rounded-xl border border-input bg-popover p-3 shadow-float",
        ),
        rx.fragment(),
    )


def clip_grid() -> rx.Component:
    """The clips that match the filters, a page at a time."""
    return rx.el.section(
        rx.cond(State.finding_title != "", _finding_header(), _filters()),
        _chosen_bar(),
        rx.cond(
            State.tiles.length() > 0,
            rx.el.ul(rx.foreach(State.tiles, _tile), class_name=GRID),
            rx.el.div(
                rx.el.p("No clip matches."),
                rx.cond(
                    (State.label != "") | (State.split != "") | (State.q != ""),
                    button("Clear filters", size="sm", on_click=State.show_finding("")),
                    rx.fragment(),
                ),
                class_name=(
                    "flex flex-wrap items-center gap-3 rounded-xl border border-border bg-card p-6 text-sm "
                    "text-muted-foreground"
                ),
            ),
        ),
        rx.el.div(paging_bar(State, "clips"), class_name="mt-4"),
        aria_label="Clips",
        id="clips",
        class_name="scroll-mt-20",
    )


def _damaged(tile: rx.Var[ClipTile]) -> rx.Component:
    return rx.el.li(
        icon("circle-x", class_name="mt-0.5 text-destructive"),
        rx.el.div(
            rx.el.p(tile.name, class_name="truncate font-mono text-xs", title=tile.name),
            rx.el.p(tile.problem, class_name="text-xs text-muted-foreground"),
            class_name="min-w-0",
        ),
        class_name="flex gap-2.5 border-t border-border py-2.5 first:border-t-0 first:pt-0",
    )


def damaged_files() -> rx.Component:
    """Files that cannot be used, each with its reason; nothing where all can."""
    return rx.cond(
        State.bad_count > 0,
        card(
            rx.el.ul(rx.foreach(State.bad_tiles, _damaged), class_name="max-h-80 overflow-y-auto"),
            title="Left out",
            note=State.bad_text,
        ),
        rx.fragment(),
    )
