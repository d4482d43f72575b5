"""The dialog of one clip: its player, its label or caption, its split, and the frame preview."""

from typing import Any, assert_never

import reflex as rx

from orchestrator.domain.tasks import Annotation
from orchestrator.pages.datasets import annotation_editor
from orchestrator.pages.datasets.annotation import by_annotation
from orchestrator.pages.datasets.clips import CLASSES, NEW_CLASS, SPLIT_CHOICES
from orchestrator.pages.datasets.frame_preview import frame_preview
from orchestrator.pages.shared.forms import general_problem, problem_of
from orchestrator.states.datasets.clips import DatasetClipsState
from orchestrator.states.datasets.detail import DatasetDetailState
from orchestrator.ui.patterns.shortcuts import shortcuts
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.combobox import combobox
from orchestrator.ui.primitives.dialog import dialog
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.select import select

State = DatasetClipsState
CLIP: Any = DatasetClipsState.clip
"""None until a clip is opened."""
_KEYS = {
    "[": ["clip-previous"],
    "]": ["clip-next"],
    "Alt+PageUp": ["clip-previous"],
    "Alt+PageDown": ["clip-next"],
    "Mod+Enter": ["clip-next", "clip-save"],
}
"""Alt with an arrow would move the cursor by a word in the text fields of a Mac."""
_KEYS_NOTE = (
    "Ctrl or ⌘ with Enter saves and opens the next clip. [ and ], outside of text fields, and Alt with Page Up and "
    "Page Down open the clips before and after. What you typed is saved."
)


def _player() -> rx.Component:
    return rx.el.video(
        src=CLIP.preview,
        poster="",
        controls=True,
        loop=True,
        muted=True,
        auto_play=True,
        plays_inline=True,
        aria_label=CLIP.name,
        class_name="max-h-[40vh] w-full rounded-lg bg-film object-contain",
    )


def _annotation_field(kind: Annotation) -> rx.Component:
    """Where the clip's annotation is written."""
    match kind:
        case Annotation.LABEL:
            one = field(
                "Label",
                combobox(
                    CLASSES,
                    name="label",
                    value=State.label,
                    on_change=State.type_label,
                    noun="classes",
                    fresh=NEW_CLASS,
                    max_length=kind.max_length,
                ),
                error=problem_of(State, "label"),
            )
            add = button("Add another label", icon="plus", size="sm", variant="ghost", on_click=State.list_labels)
            single = rx.el.div(one, add, class_name="flex flex-col items-start gap-1 *:w-full [&>button]:w-auto")
            return rx.cond(State.lists_labels, annotation_editor.several_labels(CLASSES), single)
        case Annotation.CAPTION:
            return annotation_editor.captions()
        case _:
            assert_never(kind)


def _form_fields() -> rx.Component:
    return rx.fragment(
        by_annotation(DatasetDetailState.annotation, _annotation_field, rx.fragment()),
        annotation_editor.span(),
        field(
            "Split",
            select(SPLIT_CHOICES, value=State.split, on_change=State.choose_split, label="Split"),
            error=problem_of(State, "split"),
        ),
        general_problem(problem_of(State, "")),
        general_problem(problem_of(State, "status")),
        rx.el.div(
            button(rx.cond(CLIP.quarantined, "Take back in", "Leave out"), variant="ghost", on_click=State.leave_out),
            button("Save", variant="primary", submit=True, id="clip-save"),
            class_name="flex justify-between gap-2",
        ),
    )


def _neighbours() -> rx.Component:
    """To the previous and the next clip of the grid; what was typed is saved."""
    return rx.el.div(
        button(
            "Previous",
            icon="chevron-left",
            size="sm",
            variant="ghost",
            id="clip-previous",
            disabled=State.previous_id == 0,
            on_click=State.go_to(State.previous_id),
            aria_keyshortcuts="[ Alt+PageUp",
        ),
        button(
            "Next",
            icon_right="chevron-right",
            size="sm",
            variant="ghost",
            id="clip-next",
            disabled=State.next_id == 0,
            on_click=State.go_to(State.next_id),
            aria_keyshortcuts="] Alt+PageDown Control+Enter Meta+Enter",
        ),
        shortcuts(_KEYS),
        class_name="flex items-center justify-between gap-2",
    )


def clip_dialog() -> rx.Component:
    """Closed until a clip is opened."""
    return dialog(
        rx.el.form(
            _neighbours(),
            rx.cond(CLIP.preview != "", _player(), rx.fragment()),
            rx.el.p(CLIP.facts, class_name="text-xs break-words text-muted-foreground"),
            rx.cond(
                DatasetDetailState.editable,
                _form_fields(),
                by_annotation(
                    DatasetDetailState.annotation,
                    lambda kind: rx.el.p(getattr(State, kind.value), class_name="text-sm"),
                    rx.fragment(),
                ),
            ),
            on_submit=State.save,
            class_name="flex flex-col gap-4",
        ),
        rx.cond(CLIP.preview != "", frame_preview(), rx.fragment()),
        rx.el.p(_KEYS_NOTE, id="clip-keys", class_name="mt-4 text-xs text-muted-foreground touch:hidden"),
        title=CLIP.short_name,
        open=State.opened,
        on_open_change=State.show,
        size="lg",
    )
