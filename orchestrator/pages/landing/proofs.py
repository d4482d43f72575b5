"""Three reasons to use Loreel. Figures come only from our own benchmarks."""

import reflex as rx

from orchestrator.ui.primitives.icon import icon

_PROOFS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "zap",
        "Fast on the machine you have",
        "4-bit",
        "bases in NF4, small adapters on top",
        "Clips are decoded once and stored as frames, so that later epochs only train. A GPU is used if there is one; the demo needs none.",
    ),
    (
        "shield-check",
        "Safe overnight",
        "Resumes",
        "from its last complete checkpoint",
        "Kill a worker in the middle of a run: the job is queued again and continues. Every point of the curve is kept.",
    ),
    (
        "lock-keyhole",
        "Private",
        "1\u00a0command",
        "and Python 3.11, on a laptop or a rack",
        "Clips, adapters and logs stay on your disk. No external host, no telemetry, and it works without a network.",
    ),
)


def _proof(icon_name: str, title: str, figure: str, what: str, why: str) -> rx.Component:
    return rx.el.li(
        rx.el.h3(
            icon(icon_name, class_name="text-primary"),
            title,
            class_name="flex items-center gap-2.5 text-sm font-semibold",
        ),
        rx.el.p(figure, class_name="mt-6 text-3xl font-semibold tracking-[-0.025em]"),
        rx.el.p(what, class_name="mt-1 text-sm text-muted-foreground"),
        rx.el.p(why, class_name="mt-5 border-t border-border pt-5 text-sm text-muted-foreground"),
        class_name="border-border p-7 not-first:border-t md:not-first:border-t-0 md:not-first:border-l touch:p-5",
    )


def proofs() -> rx.Component:
    """Three columns; stacked on a phone."""
    return rx.el.section(
        rx.el.h2("Why Loreel", class_name="sr-only"),
        rx.el.ul(*[_proof(*proof) for proof in _PROOFS], class_name="grid md:grid-cols-3"),
        id="why",
        class_name="rounded-xl border border-border bg-card",
    )
