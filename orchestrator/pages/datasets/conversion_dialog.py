"""The dialog that converts annotations: which conversion, the question for captions, and what becomes what."""

import reflex as rx

from orchestrator.domain.annotations import QUESTION_LIMIT
from orchestrator.pages.shared.forms import form_dialog, general_problem, problem_of, small_note
from orchestrator.states.datasets.conversions import DatasetConversionState as State
from orchestrator.states.datasets.conversions import Example
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.input import input as text_input
from orchestrator.ui.primitives.select import select

_LINES = "flex min-w-0 flex-col gap-1 text-xs break-words"


def _lines(lines: rx.Var[list[str]], tone: str = "") -> rx.Component:
    return rx.el.ul(rx.foreach(lines, lambda line: rx.el.li(line)), class_name=f"{_LINES} {tone}")


def _example(example: rx.Var[Example]) -> rx.Component:
    return rx.el.li(
        rx.el.p(example.name, class_name="truncate font-mono text-xs text-muted-foreground", title=example.name),
        rx.el.div(
            _lines(example.before, "text-muted-foreground"),
            icon("arrow-right", label="becomes", class_name="mt-0.5 text-muted-foreground max-sm:rotate-90"),
            _lines(example.after),
            class_name="mt-1 grid grid-cols-1 gap-2 sm:grid-cols-[1fr_auto_1fr]",
        ),
        class_name="rounded-lg border border-border p-3",
    )


def conversion_dialog() -> rx.Component:
    """Closed until it is opened in the dataset's menu or by a finding of the doctor."""
    return form_dialog(
        field(
            "Conversion",
            select(State.choices, value=State.chosen, on_change=State.choose, label="Conversion"),
            error=problem_of(State, "conversion"),
        ),
        rx.cond(
            State.asks,
            field(
                "Question",
                text_input(value=State.question, on_change=State.type_question, max_length=QUESTION_LIMIT),
                hint="Each caption becomes its answer.",
                error=problem_of(State, "question"),
            ),
            rx.fragment(),
        ),
        rx.el.p(State.counts, role="status", class_name="text-sm"),
        rx.el.ul(
            rx.foreach(State.examples, _example),
            id="conversion-examples",
            aria_label="Examples",
            class_name="flex flex-col gap-2",
        ),
        *(general_problem(problem_of(State, name)) for name in ("", "labels", "captions", "conversations", "label")),
        small_note("This makes a new version of the dataset, which can be undone."),
        title="Convert annotations",
        submit="Convert",
        open=State.opened,
        on_open_change=State.show,
        on_submit=State.convert,
    )
