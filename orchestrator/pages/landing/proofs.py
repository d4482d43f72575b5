"""Three reasons: fast, safe, yours. A figure stands here only when a benchmark of ours measured it."""

import reflex as rx

from orchestrator.ui.primitives.icon import icon

_PROOFS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "zap",
        "Fast on the machine you have",
        "4-bit",
        "bases in NF4, small adapters on top",
        "Clips are decoded once and kept as frames, so later epochs only train. A GPU is used when there is one; the demo needs none.",
    ),
    (
        "shield-check",
        "Safe overnight",
        "Resumes",
        "from its last whole checkpoint",
        "Kill a worker in the middle of a run: the job is found, queued again and goes on. Every point of the curve stays.",
    ),
    (
        "lock-keyhole",
        "Yours alone",
        "1\u00a0command",
        "and Python 3.11, on a laptop or a rack",
        "Clips, adapters and logs stay on your disk. No outside host, no telemetry, and it works with the network unplugged.",
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
    """Three columns; one under the other on a phone."""
    return rx.el.section(
        rx.el.h2("Why Loreel", class_name="sr-only"),
        rx.el.ul(*[_proof(*proof) for proof in _PROOFS], class_name="grid md:grid-cols-3"),
        id="why",
        class_name="rounded-xl border border-border bg-card",
    )
