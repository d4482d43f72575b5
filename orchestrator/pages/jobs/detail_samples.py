"""The samples tab: single held-out clips that play, beside what the model makes of them now and before the training."""

import reflex as rx

from orchestrator.states.jobs.detail import JobDetail
from orchestrator.states.jobs.samples import Sample, Shot
from orchestrator.ui.patterns.clip_player import clip_player
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card

head = JobDetail.head


def _found(shot: Shot) -> rx.Component:
    """One of the clips that a search found."""
    return rx.el.figure(
        clip_player(
            shot.picture,
            shot.preview,
            shot.note,
            class_name=rx.cond(shot.right, "ring-2 ring-success", "ring-1 ring-border"),
        ),
        rx.el.figcaption(
            shot.note,
            rx.cond(shot.right, " right", ""),
            class_name="mt-1 truncate font-mono text-xs tabular text-muted-foreground",
        ),
        class_name="min-w-0",
    )


def _verdict(sample: Sample) -> rx.Component:
    return rx.cond(
        sample.good,
        badge(sample.note, tone="success"),
        rx.el.span(sample.note, class_name="text-xs text-muted-foreground"),
    )


def _trail(sample: Sample) -> rx.Component:
    """What the run made of the clip on the way, folded away."""
    lines = rx.el.ol(
        rx.foreach(sample.trail, lambda line: rx.el.li(line, class_name="break-words")),
        class_name="mt-1 flex flex-col gap-0.5 text-xs text-muted-foreground",
    )
    summary = rx.el.summary("On the way", class_name="tap cursor-pointer text-xs text-muted-foreground focus-ring")
    return rx.cond(sample.trail, rx.el.details(summary, lines, class_name="min-w-0"), rx.fragment())


def _search(sample: Sample) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(sample.title, class_name="min-w-0 text-sm font-medium break-words"),
            _verdict(sample),
            class_name="flex flex-wrap items-center justify-between gap-x-4 gap-y-1",
        ),
        rx.el.div(
            rx.foreach(sample.shots, _found),
            class_name="mt-2 grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5",
        ),
        _trail(sample),
        class_name="border-t border-border py-4 first:border-t-0 first:pt-0 last:pb-0",
    )


def _player(shot: Shot) -> rx.Component:
    return clip_player(shot.picture, shot.preview, shot.note)


def _sample(sample: Sample) -> rx.Component:
    """The clip, and beside it the two answers."""
    return rx.el.li(
        rx.el.div(rx.foreach(sample.shots, _player), class_name="w-36 shrink-0 touch:w-28"),
        rx.el.div(
            rx.el.p(sample.title, class_name="text-sm font-medium break-words"),
            _verdict(sample),
            rx.cond(sample.before, rx.el.p(sample.before, class_name="text-xs text-muted-foreground")),
            _trail(sample),
            class_name="flex min-w-0 flex-col items-start gap-1.5",
        ),
        class_name="flex min-w-0 gap-4",
    )


def _mistake(sample: Sample) -> rx.Component:
    return rx.el.li(
        rx.foreach(sample.shots, _player),
        rx.el.p(sample.title, class_name="mt-1.5 text-sm"),
        rx.el.p(sample.note, class_name="truncate text-xs text-muted-foreground"),
        class_name="min-w-0",
    )


def _samples() -> rx.Component:
    searches = rx.el.ul(rx.foreach(JobDetail.samples, _search), id="job-samples")
    answers = rx.el.ul(
        rx.foreach(JobDetail.samples, _sample), id="job-samples", class_name="grid gap-x-8 gap-y-5 lg:grid-cols-2"
    )
    return card(
        rx.cond(JobDetail.searches, searches, answers),
        title=rx.cond(JobDetail.searches, "Searches", "Samples"),
        note=rx.cond(
            JobDetail.searches,
            "captions of held-out clips, and the five clips found first",
            "held-out clips, and what the model says of them; point at one to play it",
        ),
    )


def _mistakes() -> rx.Component:
    every = button("Show all", size="sm", variant="ghost", on_click=JobDetail.show_mistakes(""))
    none = rx.el.p(
        "Only the surest of them are kept, and none of these is among them.", class_name="text-sm text-muted-foreground"
    )
    grid = rx.el.ul(
        rx.foreach(JobDetail.shown_mistakes, _mistake),
        id="job-mistakes",
        class_name="grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-5",
    )
    return card(
        rx.cond(JobDetail.shown_mistakes, grid, none),
        title="Misclassified clips",
        note=rx.cond(JobDetail.pair, JobDetail.pair, "the surest first"),
        actions=rx.cond(JobDetail.pair, every, rx.fragment()),
    )


def samples_panel() -> rx.Component:
    """What the model makes of single clips; told after each evaluation."""
    nothing = rx.cond(
        head.active,
        "After the first evaluation, some held-out clips stand here with what the model says of them.",
        "This run ended before it was tried on single clips.",
    )
    return rx.el.div(
        rx.cond(
            JobDetail.samples | JobDetail.mistakes,
            rx.fragment(),
            card(rx.el.p(nothing, class_name="text-sm text-muted-foreground")),
        ),
        rx.cond(JobDetail.samples, _samples(), rx.fragment()),
        rx.cond(JobDetail.mistakes, _mistakes(), rx.fragment()),
        class_name="flex flex-col gap-4 pt-4",
    )
