"""The folded part of step 3 of the wizard: what most people leave as it is."""

import reflex as rx

from orchestrator.pages.jobs.new_fields import GRID, text_field
from orchestrator.states.jobs.new import JobForm
from orchestrator.states.jobs.new_fields import control_id
from orchestrator.states.jobs.new_rows import OPTIMIZERS
from orchestrator.ui.primitives.choice import switch
from orchestrator.ui.primitives.field import field
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.select import select


def _machine() -> list[rx.Component]:
    name = "machine.kind"
    kinds = [("any", "Any"), ("cpu", "A processor"), ("gpu", "A GPU")]
    kind = field(
        "Machine",
        select(options=kinds, value=JobForm.values[name], on_change=JobForm.set_value(name), id=control_id(name)),
        hint="any: a GPU first",
        error=JobForm.problems[name],
        control_id=control_id(name),
    )
    asked = JobForm.values[name] == "gpu"
    memory = text_field("machine.memory_gb", "GPU memory, at least", suffix="GB", input_mode="numeric")
    gpus = text_field("machine.gpus", "GPUs", hint="of one host; a step sees as many batches", input_mode="numeric")
    return [kind, rx.cond(asked, memory, rx.fragment()), rx.cond(asked, gpus, rx.fragment())]


def _optimizer() -> rx.Component:
    name = "optim.optimizer"
    return field(
        "Optimizer",
        select(
            options=list(OPTIMIZERS.items()),
            value=JobForm.values[name],
            on_change=JobForm.set_value(name),
            id=control_id(name),
        ),
        hint="automatic: 8-bit for adapters on a GPU",
        error=JobForm.problems[name],
        control_id=control_id(name),
    )


def _flag(name: str, label: str, note: str) -> rx.Component:
    """A switch that says what it costs."""
    return rx.el.div(
        switch(label, checked=JobForm.values[name] == "true", on_change=JobForm.set_flag(name)),
        rx.el.p(note, class_name="text-xs text-muted-foreground"),
        rx.cond(
            JobForm.problems[name],
            rx.el.p(JobForm.problems[name], role="alert", class_name="text-xs text-destructive"),
            rx.fragment(),
        ),
        id=control_id(name),
        class_name="flex flex-col gap-1.5 sm:col-span-3",
    )


def _switches() -> list[rx.Component]:
    """Offered where the base and the machine can do it; shown, too, where a clone asks for it."""
    tunes = JobForm.values["training_type"] != "pretrain"
    vision = _flag(
        "qlora.vision",
        "Adapters in the vision tower, too",
        "For clips unlike anything the base has seen. The tower then sees each clip in every epoch, since what it says "
        "changes and cannot be kept; every step takes longer and more memory.",
    )
    liger = _flag(
        "optim.liger",
        "Liger kernels",
        "Fused kernels for the language model: less memory and faster steps. The worker needs the package liger-kernel.",
    )
    return [
        rx.cond(
            tunes & (JobForm.plan.has_vision_tower | (JobForm.values["qlora.vision"] == "true")), vision, rx.fragment()
        ),
        rx.cond(JobForm.plan.has_liger | (JobForm.values["optim.liger"] == "true"), liger, rx.fragment()),
    ]


def advanced() -> rx.Component:
    """Folded until it is asked for; a field that is wrong opens it."""
    fold = rx.el.button(
        icon(
            "chevron-right",
            class_name=rx.cond(JobForm.advanced_open, "rotate-90 transition-transform", "transition-transform"),
        ),
        "Advanced: steps, warm-up, weight decay, clipping, seed, validation share, frames, optimizer, machine",
        type="button",
        on_click=JobForm.toggle_advanced,
        aria_expanded=JobForm.advanced_open,
        aria_controls="advanced",
        class_name="tap mt-4 flex items-center gap-2 text-left text-sm text-muted-foreground hover:text-foreground",
    )
    fields = rx.el.div(
        text_field("optim.max_steps", "Steps at most", hint="empty: all epochs", input_mode="numeric"),
        text_field("optim.warmup_ratio", "Warm-up", hint="share of the run, usual: 0.05", input_mode="decimal"),
        text_field("optim.weight_decay", "Weight decay", hint="usual: 0 to 0.01", input_mode="decimal"),
        text_field("optim.max_grad_norm", "Gradient clipping", hint="usual: 1", input_mode="decimal"),
        text_field("optim.seed", "Seed", hint="same seed, same run", input_mode="numeric"),
        text_field("data.validation_share", "Validation share", hint="of each class, usual: 0.2", input_mode="decimal"),
        text_field("data.frames", "Frames", hint="empty: as the base was made", input_mode="numeric"),
        text_field("data.size", "Frame size", hint="empty: as the base was made", suffix="px", input_mode="numeric"),
        text_field("data.fps", "Frames per second", hint="empty: spread over the clip", input_mode="decimal"),
        _optimizer(),
        *_machine(),
        *_switches(),
        id="advanced",
        class_name=GRID + " mt-4",
    )
    return rx.fragment(fold, rx.cond(JobForm.advanced_open, fields, rx.fragment()))
