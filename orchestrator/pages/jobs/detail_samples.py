"""What a finished run does with single clips: sentences and the clips found for them, clips that went wrong."""

import reflex as rx

from orchestrator.states.job_detail import JobDetail
from orchestrator.states.job_samples import Sample, Shot
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.card import card

# A thumbnail is four frames side by side; the whole of it shows the motion.
_PICTURE = "aspect-[16/3] w-full rounded-md bg-film object-cover"


def _shot(shot: Shot) -> rx.Component:
    ring = rx.cond(shot.right, "ring-2 ring-success", "ring-1 ring-border")
    return rx.el.figure(
        rx.el.img(src=shot.picture, alt=shot.note, loading="lazy", decoding="async", class_name=f"{_PICTURE} {ring}"),
        rx.el.figcaption(
            shot.note,
            rx.cond(shot.right, " right", ""),
            class_name="mt-1 truncate font-mono text-xs tabular text-muted-foreground",
        ),
        class_name="min-w-0",
    )


def _sample(sample: Sample) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(sample.title, class_name="min-w-0 text-sm font-medium break-words"),
            rx.cond(
                sample.good,
                badge(sample.note, tone="success"),
                rx.el.span(sample.note, class_name="text-xs text-muted-foreground"),
            ),
            class_name="flex flex-wrap items-center justify-between gap-x-4 gap-y-1",
        ),
        rx.cond(
            sample.before,
            rx.el.p("The untouched base said: ", sample.before, class_name="text-xs text-muted-foreground"),
        ),
        rx.el.div(
            rx.foreach(sample.shots, _shot),
            class_name="mt-2 grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5",
        ),
        class_name="border-t border-border py-4 first:border-t-0 first:pt-0 last:pb-0",
    )


def samples() -> rx.Component:
    """Some held-out clips, with what the model says now."""
    listed = rx.el.ul(rx.foreach(JobDetail.samples, _sample), id="job-samples")
    return rx.cond(
        JobDetail.samples,
        card(
            listed,
            title=rx.cond(JobDetail.searches, "Searches", "Samples"),
            note=rx.cond(
                JobDetail.searches,
                "captions of held-out clips, and the five clips found first",
                "held-out clips, and what the model says of them",
            ),
        ),
        rx.fragment(),
    )


def _mistake(sample: Sample) -> rx.Component:
    return rx.el.li(
        rx.foreach(sample.shots, lambda shot: rx.el.img(src=shot.picture, alt="", loading="lazy", class_name=_PICTURE)),
        rx.el.p(sample.title, class_name="mt-1.5 text-sm"),
        rx.el.p(sample.note, class_name="truncate text-xs text-muted-foreground"),
        class_name="min-w-0",
    )


def mistakes() -> rx.Component:
    """The clips that were called another class than theirs."""
    return rx.cond(
        JobDetail.mistakes,
        card(
            rx.el.ul(
                rx.foreach(JobDetail.mistakes, _mistake),
                id="job-mistakes",
                class_name="grid grid-cols-1 gap-4 sm:grid-cols-2 lg:grid-cols-4",
            ),
            title="Misclassified clips",
            note="the surest first",
        ),
        rx.fragment(),
    )
