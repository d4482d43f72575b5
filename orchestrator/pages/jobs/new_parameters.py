"""Step 3 of the wizard: training type, presets, QLoRA, optimization, output."""

from typing import Any

import reflex as rx

from orchestrator.domain.recipe_fields import Section
from orchestrator.domain.recipes import FIELDS
from orchestrator.pages.jobs.new_advanced import advanced
from orchestrator.pages.jobs.new_fields import (
    GRID,
    choice_buttons,
    form_control,
    form_input,
    help_of,
    problem,
    text_field,
)
from orchestrator.pages.jobs.new_recipe import adapters_off, recipe_card
from orchestrator.pages.jobs.new_shapes import shapes_card
from orchestrator.states.jobs.new import JobFormState
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.states.jobs.new_load import NO_ADAPTER
from orchestrator.states.jobs.new_rows import LayerChoice
from orchestrator.states.jobs.new_sweep import CHOICES, NOTHING, ROWS
from orchestrator.states.jobs.new_values import section_fields
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox, radio_cards, segmented
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.select import select

_OWN_CONTROL = ("qlora.bits", "qlora.r", "qlora.target_modules")
"""Adapter fields with a control of their own."""


def _presets() -> rx.Component:
    changed = rx.el.p(
        rx.el.span(f"{JobFormState.changed} changed from the defaults", class_name="text-muted-foreground"),
        button("Reset to defaults", variant="link", size="sm", on_click=JobFormState.reset_to_defaults, id="reset"),
        class_name="flex items-center justify-end gap-2 text-xs",
    )
    return rx.el.div(
        radio_cards(
            JobFormState.presets.to(list[dict[str, Any]]),
            label="Preset",
            value=JobFormState.preset,
            on_change=JobFormState.choose_preset,
            name="preset",
        ),
        rx.cond(JobFormState.changed > 0, changed, rx.fragment()),
        class_name="flex flex-col gap-1",
    )


def _rank() -> rx.Component:
    return rx.el.div(
        text_field("qlora.r"),
        segmented(
            ["8", "16", "32", "64"],
            label="Usual ranks",
            value=JobFormState.values["qlora.r"],
            on_change=JobFormState.set_value("qlora.r"),
            fill=True,
            mono=True,
        ),
        class_name="flex flex-col gap-1.5",
    )


def _layer(layer: LayerChoice) -> rx.Component:
    return rx.el.span(
        checkbox(
            layer.suffix,
            checked=JobFormState.targets.contains(layer.suffix),
            on_change=JobFormState.toggle_target(layer.suffix),
            note=JobFormState.layer_sizes[layer.suffix],
            boxed=True,
        ),
        title=layer.note,
        custom_attrs={"data-target": layer.suffix},
    )


def _targets() -> rx.Component:
    return field(
        FIELDS["qlora.target_modules"].spec.label,
        rx.el.div(
            rx.foreach(JobFormState.layers, _layer),
            id=control_id("qlora.target_modules"),
            tab_index=-1,
            class_name="flex flex-wrap gap-2 outline-none",
        ),
        error=JobFormState.problems["qlora.target_modules"],
        hint=JobFormState.head_note,
        control_id=control_id("qlora.target_modules"),
        group=True,
        help=help_of("qlora.target_modules"),
        aside=rx.el.span(JobFormState.targets_note, class_name="text-xs text-muted-foreground"),
    )


def _precision() -> rx.Component:
    name = "qlora.bits"
    return rx.el.div(
        field(
            FIELDS[name].spec.label,
            choice_buttons(name),
            hint=JobFormState.plan.advice,
            error=JobFormState.problems[name],
            control_id=control_id(name),
            group=True,
            help=help_of(name),
        ),
        id=control_id(name),
        class_name="mb-4",
    )


def _qlora() -> rx.Component:
    return card(
        rx.el.p(
            rx.cond(
                JobFormState.values["qlora.bits"] == "16",
                "The base stays frozen as it is. Only these adapters are trained.",
                "The base stays frozen in 4-bit NF4. Only these adapters are trained.",
            ),
            class_name="-mt-3 mb-4 text-xs text-muted-foreground",
        ),
        _precision(),
        rx.el.div(
            _rank(),
            *[form_control(known) for known in section_fields(Section.QLORA) if known.name not in _OWN_CONTROL],
            class_name="mb-4 grid items-start gap-4 sm:grid-cols-[1.5fr_1fr_1fr]",
        ),
        _targets(),
        title="QLoRA",
        actions=rx.el.span(
            rx.cond(JobFormState.plan.vision_frozen, tag("Vision frozen"), rx.fragment()),
            rx.cond(JobFormState.all_linear, tag("All linear"), rx.fragment()),
            class_name="flex gap-1.5",
        ),
    )


def _rate_curve() -> rx.Component:
    return rx.el.div(
        rx.el.span("Rate over the run", class_name="text-sm font-medium"),
        rx.el.svg(
            rx.el.path(d=JobFormState.rate_path, fill="none", stroke="currentColor", stroke_width="1.75"),
            view_box="0 0 120 34",
            preserve_aspect_ratio="none",
            aria_hidden=True,
            class_name="h-9 w-full text-foreground",
        ),
        class_name="flex min-w-0 flex-col gap-1.5",
    )


def _optimization() -> rx.Component:
    hints = {
        "optim.learning_rate": JobFormState.rate_hint,
        "optim.gradient_accumulation": JobFormState.clips_per_step,
        "optim.epochs": rx.cond(JobFormState.plan.known, f"{JobFormState.plan.steps} steps", ""),
    }
    return card(
        rx.el.p(
            "One step uses batch size × accumulation clips.", class_name="-mt-3 mb-4 text-xs text-muted-foreground"
        ),
        rx.el.div(
            *[form_control(known, hints.get(known.name)) for known in section_fields(Section.OPTIMIZATION)],
            _rate_curve(),
            class_name=GRID + " items-start",
        ),
        advanced(),
        title="Optimization",
    )


def _output() -> rx.Component:
    return card(
        *map(form_control, section_fields(Section.OUTPUT)),
        title="Output",
        note="Where the adapter is stored",
    )


def _training_type() -> rx.Component:
    name = "training_type"
    return card(
        choice_buttons(name),
        rx.el.p(JobFormState.training_note, class_name="mt-2 text-xs text-muted-foreground"),
        problem(name),
        title=FIELDS[name].spec.label,
        id=control_id(name),
    )


def _continuing() -> rx.Component:
    """The adapter to continue from; nothing where the base has none yet."""
    name = "adapter"
    chosen = JobFormState.values[name]
    return rx.cond(
        JobFormState.adapters.length() > 0,
        card(
            select(
                options=JobFormState.adapters,
                value=rx.cond(chosen, chosen, NO_ADAPTER),
                on_change=JobFormState.choose_adapter,
                label=FIELDS[name].spec.label,
                id=control_id(name),
            ),
            rx.el.p(
                rx.cond(
                    chosen,
                    "Training begins with the weights of this adapter. Its rank, alpha and layers are kept.",
                    "Training begins with new weights.",
                ),
                class_name="mt-2 text-xs text-muted-foreground",
            ),
            problem(name),
            title=FIELDS[name].spec.label,
        ),
        rx.fragment(),
    )


def _sweep_row(row: int) -> rx.Component:
    name = f"sweep.values{row}"
    return rx.el.div(
        field(
            "Parameter" if row == 1 else "Second parameter",
            select(
                options=CHOICES,
                value=JobFormState.values[f"sweep.field{row}"],
                on_change=JobFormState.set_value(f"sweep.field{row}"),
                id=control_id(f"sweep.field{row}"),
            ),
            control_id=control_id(f"sweep.field{row}"),
        ),
        rx.cond(
            JobFormState.values[f"sweep.field{row}"] != NOTHING,
            field(
                "Values",
                form_input(name),
                hint="Separate values with spaces or commas.",
                error=JobFormState.problems[name],
                control_id=control_id(name),
            ),
            rx.fragment(),
        ),
        class_name="grid items-start gap-4 sm:grid-cols-[1fr_2fr]",
    )


def _sweep() -> rx.Component:
    return card(
        rx.el.p(
            "Each combination becomes a job of its own; they are compared side by side, the best first.",
            class_name="-mt-3 mb-4 text-xs text-muted-foreground",
        ),
        rx.el.div(*[_sweep_row(row) for row in ROWS], class_name="flex flex-col gap-4"),
        title="Sweep",
        note="optional: try several values",
        actions=rx.cond(JobFormState.sweep_jobs > 1, tag(JobFormState.sweep_jobs, " jobs"), rx.fragment()),
        id="sweep",
    )


def parameter_step() -> rx.Component:
    """The parameters of the training."""
    return rx.el.section(
        rx.el.h2("Parameters", class_name="sr-only"),
        recipe_card(),
        rx.cond(JobFormState.without_adapters, adapters_off(), rx.fragment()),
        _presets(),
        _training_type(),
        rx.cond(
            JobFormState.values["training_type"] == "pretrain", rx.fragment(), rx.fragment(_continuing(), _qlora())
        ),
        _optimization(),
        shapes_card(),
        _output(),
        _sweep(),
        class_name="flex flex-col gap-4",
    )
