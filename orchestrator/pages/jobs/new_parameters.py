"""Step 3 of the wizard: training type, presets, QLoRA, optimization, output."""

from typing import Any

import reflex as rx

from orchestrator.domain.recipe_fields import Section
from orchestrator.domain.recipes import FIELDS
from orchestrator.pages.jobs.new_advanced import advanced
from orchestrator.pages.jobs.new_fields import GRID, choice_buttons, form_control, form_input, problem, text_field
from orchestrator.states.jobs.new import JobForm
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.states.jobs.new_rows import LayerChoice
from orchestrator.states.jobs.new_sweep import CHOICES, NOTHING, ROWS
from orchestrator.states.jobs.new_values import section_fields
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.choice import checkbox, radio_cards, segmented
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.select import select

_OWN_CONTROL = ("qlora.bits", "qlora.r", "qlora.target_modules")
"""Adapter fields with more than the usual control."""


def _presets() -> rx.Component:
    return radio_cards(
        JobForm.presets.to(list[dict[str, Any]]),
        label="Preset",
        value=JobForm.preset,
        on_change=JobForm.choose_preset,
        name="preset",
    )


def _rank() -> rx.Component:
    return rx.el.div(
        text_field("qlora.r"),
        segmented(
            ["8", "16", "32", "64"],
            label="Usual ranks",
            value=JobForm.values["qlora.r"],
            on_change=JobForm.set_value("qlora.r"),
            fill=True,
            mono=True,
        ),
        class_name="flex flex-col gap-1.5",
    )


def _layer(layer: LayerChoice) -> rx.Component:
    return rx.el.span(
        checkbox(
            layer.suffix,
            checked=JobForm.targets.contains(layer.suffix),
            on_change=JobForm.toggle_target(layer.suffix),
            note=layer.size,
            boxed=True,
        ),
        title=layer.note,
        custom_attrs={"data-target": layer.suffix},
    )


def _targets() -> rx.Component:
    return field(
        FIELDS["qlora.target_modules"].spec.label,
        rx.el.div(
            rx.foreach(JobForm.layers, _layer),
            id=control_id("qlora.target_modules"),
            tab_index=-1,
            class_name="flex flex-wrap gap-2 outline-none",
        ),
        error=JobForm.problems["qlora.target_modules"],
        hint=JobForm.head_note,
        control_id=control_id("qlora.target_modules"),
        group=True,
        aside=rx.el.span(JobForm.targets_note, class_name="text-xs text-muted-foreground"),
    )


def _precision() -> rx.Component:
    name = "qlora.bits"
    return rx.el.div(
        field(
            FIELDS[name].spec.label,
            choice_buttons(name),
            hint=JobForm.plan.advice,
            error=JobForm.problems[name],
            control_id=control_id(name),
            group=True,
        ),
        id=control_id(name),
        class_name="mb-4",
    )


def _qlora() -> rx.Component:
    return card(
        rx.el.p(
            rx.cond(
                JobForm.values["qlora.bits"] == "16",
                "The base stays frozen as it is. Only these adapters learn.",
                "The base stays frozen in 4-bit NF4. Only these adapters learn.",
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
            rx.cond(JobForm.plan.vision_frozen, tag("Vision frozen"), rx.fragment()),
            rx.cond(JobForm.all_linear, tag("All linear"), rx.fragment()),
            class_name="flex gap-1.5",
        ),
    )


def _rate_curve() -> rx.Component:
    return rx.el.div(
        rx.el.span("Rate over the run", class_name="text-sm font-medium"),
        rx.el.svg(
            rx.el.path(d=JobForm.rate_path, fill="none", stroke="currentColor", stroke_width="1.75"),
            view_box="0 0 120 34",
            preserve_aspect_ratio="none",
            aria_hidden=True,
            class_name="h-9 w-full text-foreground",
        ),
        class_name="flex min-w-0 flex-col gap-1.5",
    )


def _optimization() -> rx.Component:
    hints = {
        "optim.learning_rate": JobForm.rate_hint,
        "optim.gradient_accumulation": JobForm.clips_a_step,
        "optim.epochs": rx.cond(JobForm.plan.known, f"{JobForm.plan.steps} steps", ""),
    }
    return card(
        rx.el.p(
            "One step sees batch size × accumulation clips.", class_name="-mt-3 mb-4 text-xs text-muted-foreground"
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
        note="Where the adapter goes",
    )


def _training_type() -> rx.Component:
    name = "training_type"
    return card(
        choice_buttons(name),
        rx.el.p(JobForm.learns, class_name="mt-2 text-xs text-muted-foreground"),
        problem(name),
        title=FIELDS[name].spec.label,
        id=control_id(name),
    )


def _tried(row: int) -> rx.Component:
    name = f"sweep.values{row}"
    return rx.el.div(
        field(
            "Parameter" if row == 1 else "And",
            select(
                options=CHOICES,
                value=JobForm.values[f"sweep.field{row}"],
                on_change=JobForm.set_value(f"sweep.field{row}"),
                id=control_id(f"sweep.field{row}"),
            ),
            control_id=control_id(f"sweep.field{row}"),
        ),
        rx.cond(
            JobForm.values[f"sweep.field{row}"] != NOTHING,
            field(
                "Values",
                form_input(name),
                hint="with a space between them",
                error=JobForm.problems[name],
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
        rx.el.div(*[_tried(row) for row in ROWS], class_name="flex flex-col gap-4"),
        title="Try several values",
        note="a sweep, when you want one",
        actions=rx.cond(JobForm.sweep_jobs > 1, tag(JobForm.sweep_jobs, " jobs"), rx.fragment()),
        id="sweep",
    )


def parameter_step() -> rx.Component:
    """How to train."""
    return rx.el.section(
        rx.el.h2("Parameters", class_name="sr-only"),
        _presets(),
        _training_type(),
        rx.cond(JobForm.values["training_type"] == "pretrain", rx.fragment(), _qlora()),
        _optimization(),
        _output(),
        _sweep(),
        class_name="flex flex-col gap-4",
    )
