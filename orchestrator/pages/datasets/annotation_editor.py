"""The fields of a clip's further captions, its questions and answers, and its span."""

import reflex as rx

from orchestrator.domain.annotations import LABEL_LIMIT
from orchestrator.pages.shared.forms import problem_of
from orchestrator.states.datasets.annotation_editor import TurnFields
from orchestrator.states.datasets.clips import DatasetClipsState as State
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.combobox import combobox
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.input import textarea


def several_labels(classes: rx.Var) -> rx.Component:
    """The labels of a clip that has several, each of which can be removed, and a field to add one.

    Args:
        classes: those that the dataset has, to choose from.
    """
    return rx.el.div(
        rx.el.p("Labels", class_name="text-sm font-medium"),
        rx.el.div(
            rx.foreach(
                State.several_labels,
                lambda label: rx.el.span(
                    tag(label),
                    button(
                        icon="x",
                        size="icon-sm",
                        variant="ghost",
                        aria_label=f"Remove {label}",
                        on_click=State.remove_label(label),
                    ),
                    class_name="inline-flex items-center",
                ),
            ),
            class_name="flex flex-wrap gap-2 empty:hidden",
        ),
        rx.el.div(
            combobox(
                classes,
                value=State.new_label,
                on_change=State.type_new_label,
                noun="classes",
                fresh="New class",
                placeholder="Add a label",
                max_length=LABEL_LIMIT,
                aria_label="Add a label",
                class_name="min-w-0 flex-1",
            ),
            button("Add", icon="plus", size="sm", on_click=State.add_label, class_name="mt-0.5 touch:mt-0"),
            class_name="flex items-start gap-2",
        ),
        problem_note("labels"),
        role="group",
        aria_label="Labels",
        class_name="flex flex-col gap-2",
    )


def captions() -> rx.Component:
    """The captions of a clip, each in a field of its own: a caption may have several lines."""
    return rx.fragment(
        rx.cond(
            (State.turns.length() == 0) | (State.caption != "") | (State.further_captions.length() > 0),
            field(
                "Caption",
                textarea(name="caption", value=State.caption, on_change=State.type_caption, rows=3),
                error=problem_of(State, "caption"),
            ),
            rx.fragment(),
        ),
        rx.foreach(State.further_captions, _further_caption),
        problem_note("captions"),
        rx.foreach(State.turns, _turn),
        problem_note("conversations"),
        rx.el.div(
            button("Add a caption", icon="plus", size="sm", variant="ghost", on_click=State.add_caption),
            button("Add a question", icon="plus", size="sm", variant="ghost", on_click=State.add_question),
            class_name="flex flex-wrap gap-2",
        ),
    )


def span() -> rx.Component:
    """The part of the film that the clip is, in seconds and as a bar."""
    place = {"left": State.span_left.to_string() + "%", "width": State.span_width.to_string() + "%"}
    bar = rx.el.div(
        rx.el.div(class_name="absolute inset-y-0 min-w-0.5 rounded-full bg-primary", style=place),
        aria_hidden="true",
        class_name="relative h-2 w-full overflow-hidden rounded-full bg-muted",
    )
    return rx.cond(
        State.film_s > 0,
        rx.el.div(
            rx.el.div(
                field(
                    "From (s)",
                    text_input(value=State.start, on_change=State.type_start, input_mode="decimal"),
                    error=problem_of(State, "start_s"),
                ),
                field(
                    "To (s)",
                    text_input(value=State.end, on_change=State.type_end, input_mode="decimal"),
                    error=problem_of(State, "end_s"),
                ),
                class_name="grid grid-cols-2 gap-4",
            ),
            bar,
            rx.el.div(
                rx.cond(
                    State.whole_film,
                    rx.el.p(
                        "Saved, the clip is the whole film.",
                        role="status",
                        class_name="text-xs text-muted-foreground",
                    ),
                    button("Use the whole film", size="sm", variant="ghost", on_click=State.use_full_film),
                ),
            ),
            class_name="flex flex-col gap-2",
        ),
        rx.fragment(),
    )


def problem_note(name: str) -> rx.Component:
    """Why a list cannot be saved."""
    problem = problem_of(State, name)
    return rx.cond(problem != "", rx.el.p(problem, role="alert", class_name="text-sm text-destructive"), rx.fragment())


def _further_caption(text: rx.Var[str], index: rx.Var[int]) -> rx.Component:
    return rx.el.div(
        field(
            "Further caption",
            textarea(value=text, on_change=lambda typed: State.type_further_caption(index, typed), rows=2),
        ),
        button("Remove this caption", icon="trash-2", size="sm", variant="ghost", on_click=State.remove_caption(index)),
        class_name="flex flex-col items-start gap-1 *:w-full [&>button]:w-auto",
    )


def _turn(turn: rx.Var[TurnFields], index: rx.Var[int]) -> rx.Component:
    """One question with its answer; those that follow in the same conversation are indented."""

    def text_area_field(title: str, name: str, value: rx.Var[str], rows: int) -> rx.Component:
        return field(
            title,
            textarea(value=value, on_change=lambda typed: State.type_turn(index, name, typed), rows=rows),
        )

    return rx.el.div(
        rx.cond(
            turn.begins & (turn.system != ""),
            text_area_field("Instruction (system)", "system", turn.system, 2),
            rx.fragment(),
        ),
        text_area_field("Question", "question", turn.question, 2),
        rx.cond(turn.options != "", text_area_field("Options, one a line", "options", turn.options, 3), rx.fragment()),
        text_area_field("Answer", "answer", turn.answer, 2),
        rx.el.div(
            button("Add a turn", icon="corner-down-right", size="sm", variant="ghost", on_click=State.add_turn(index)),
            button(
                "Remove this question", icon="trash-2", size="sm", variant="ghost", on_click=State.remove_turn(index)
            ),
            class_name="flex flex-wrap gap-2",
        ),
        class_name=rx.cond(
            turn.begins,
            "flex flex-col gap-3 rounded-lg border border-border p-3",
            "ml-4 flex flex-col gap-3 rounded-lg border border-border p-3",
        ),
    )
