"""Puts a recipe file into step 3 of the wizard: chosen or pasted, with each line that was not taken."""

import reflex as rx

from orchestrator.pages.shared.forms import form_dialog, general_problem
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_recipe import RecipeNote
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.input import textarea
from orchestrator.ui.primitives.notice import notice
from orchestrator.ui.primitives.text_file import text_file_button


def recipe_card() -> rx.Component:
    """The buttons, and what became of the file."""
    buttons = rx.el.div(
        text_file_button(
            "Choose a file",
            on_text=JobFormState.put_in_recipe,
            label="Recipe file",
            accept=".yaml,.yml,.json,text/yaml,application/yaml",
            id="recipe-file",
        ),
        button("Paste", size="sm", icon="clipboard-paste", on_click=JobFormState.show_paste(True), id="recipe-paste"),
        _paste_dialog(),
        class_name="flex flex-wrap gap-2",
    )
    return card(
        rx.el.p(
            "Fills in the fields below from a recipe.yaml, as each adapter carries one.",
            class_name="text-xs text-muted-foreground",
        ),
        rx.cond(
            (JobFormState.recipe_error != "") & ~JobFormState.pasting,
            notice(JobFormState.recipe_error, class_name="mt-3"),
            rx.fragment(),
        ),
        rx.cond(JobFormState.recipe_summary != "", _result(), rx.fragment()),
        title="From a recipe file",
        note="optional",
        actions=buttons,
        id="recipe",
    )


def _result() -> rx.Component:
    lines = rx.el.ul(
        rx.foreach(JobFormState.recipe_notes, _line),
        aria_label="Lines that were not taken",
        class_name="mt-2 flex max-h-60 flex-col gap-2 overflow-y-auto",
    )
    return rx.el.div(
        rx.el.p(JobFormState.recipe_summary, class_name="text-sm break-words"),
        rx.cond(JobFormState.recipe_notes.length() > 0, lines, rx.fragment()),
        role="status",
        id="recipe-result",
        class_name="mt-3 border-t border-border pt-3",
    )


def _line(line: RecipeNote) -> rx.Component:
    return rx.el.li(
        rx.el.span(line.place, class_name="shrink-0 font-mono text-xs text-muted-foreground"),
        rx.el.span(
            rx.el.span(line.text),
            rx.cond(
                line.written != "",
                rx.el.span(" The file has: ", rx.el.code(line.written, class_name="font-mono text-xs break-all")),
                rx.fragment(),
            ),
            class_name="min-w-0 break-words",
        ),
        class_name="flex items-baseline gap-3 text-sm text-warning",
    )


def _paste_dialog() -> rx.Component:
    return form_dialog(
        field("Recipe", textarea(name="recipe", rows=12, mono=True, placeholder="optim:\n  epochs: 10"), required=True),
        general_problem(JobFormState.recipe_error),
        title="Paste a recipe",
        submit="Fill in",
        open=JobFormState.pasting,
        on_open_change=JobFormState.show_paste,
        on_submit=JobFormState.paste_recipe,
    )


def adapters_off() -> rx.Component:
    """Says that a recipe switched adapters off, which no control shows, and offers to undo it."""
    return notice(
        "This recipe trains all weights of the base, without adapters.",
        button("Use adapters", size="sm", on_click=JobFormState.use_adapters, class_name="mt-2 flex"),
        tone="warning",
    )
