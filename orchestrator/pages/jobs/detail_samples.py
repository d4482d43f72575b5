"""The samples tab: validation clips with the model's predictions now and before the training."""

from typing import Any

import reflex as rx

from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.detail_tabs import MISTAKES_ID
from orchestrator.states.jobs.samples import Sample, SampleClip
from orchestrator.ui.patterns.clip_player import clip_player
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.icon import icon

head = JobDetailState.head


def _found(clip: SampleClip) -> rx.Component:
    """One of the clips that a query found."""
    return rx.el.figure(
        clip_player(
            clip.picture,
            clip.preview,
            clip.note,
            class_name=rx.cond(clip.right, "ring-2 ring-success", "ring-1 ring-border"),
        ),
        rx.el.figcaption(
            clip.note,
            rx.cond(clip.right, " right", ""),
            class_name="mt-1 truncate font-mono text-xs tabular text-muted-foreground",
        ),
        class_name="min-w-0",
    )


def _verdict(sample: Sample) -> rx.Component | rx.Var[Any]:
    """The label or the expected answer, with whether the prediction agrees: as colour, icon and word."""
    chip = "h-auto min-h-6 max-w-full py-0.5"
    return rx.match(
        sample.mark,
        ("right", badge(icon("check", size=14, label="right"), _words(sample), tone="success", class_name=chip)),
        ("wrong", badge(icon("x", size=14, label="wrong"), _words(sample), tone="destructive", class_name=chip)),
        rx.el.span(sample.note, class_name="text-xs break-words text-muted-foreground"),
    )


def _words(sample: Sample) -> rx.Component:
    return rx.el.span(sample.note, class_name="min-w-0 break-words")


def _trail(sample: Sample) -> rx.Component:
    """The predictions of earlier evaluations, folded."""
    lines = rx.el.ol(
        rx.foreach(sample.trail, lambda line: rx.el.li(line, class_name="break-words")),
        class_name="mt-1 flex flex-col gap-0.5 text-xs text-muted-foreground",
    )
    summary = rx.el.summary(
        "Earlier evaluations", class_name="tap cursor-pointer text-xs text-muted-foreground focus-ring"
    )
    return rx.cond(sample.trail, rx.el.details(summary, lines, class_name="min-w-0"), rx.fragment())


def _search(sample: Sample) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(sample.title, class_name="min-w-0 text-sm font-medium break-words"),
            _verdict(sample),
            class_name="flex flex-wrap items-center justify-between gap-x-4 gap-y-1",
        ),
        rx.el.div(
            rx.foreach(sample.clips, _found),
            class_name="mt-2 grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5",
        ),
        _trail(sample),
        class_name="border-t border-border py-4 first:border-t-0 first:pt-0 last:pb-0",
    )


def _player(clip: SampleClip) -> rx.Component:
    return clip_player(clip.picture, clip.preview, clip.note)


def _sample(sample: Sample) -> rx.Component:
    """A clip and its predictions."""
    return rx.el.li(
        rx.el.div(rx.foreach(sample.clips, _player), class_name="w-36 shrink-0 touch:w-28"),
        rx.el.div(
            rx.cond(
                sample.question,
                rx.el.p(sample.question, class_name="text-xs text-muted-foreground break-words whitespace-pre-line"),
            ),
            rx.el.p(sample.title, class_name="text-sm font-medium break-words"),
            _verdict(sample),
            rx.cond(sample.before, rx.el.p(sample.before, class_name="text-xs text-muted-foreground")),
            _trail(sample),
            class_name="flex min-w-0 flex-col items-start gap-1.5",
        ),
        class_name="flex min-w-0 gap-4",
    )


def _name(clip: SampleClip) -> rx.Component:
    return rx.el.p(clip.note, title=clip.note, class_name="mt-1 truncate text-xs text-muted-foreground")


def _mistake(sample: Sample) -> rx.Component:
    return rx.el.li(
        rx.foreach(sample.clips, _player),
        rx.el.p(sample.title, class_name="mt-1.5 mb-1 text-sm break-words"),
        _verdict(sample),
        rx.foreach(sample.clips, _name),
        class_name="min-w-0",
    )


def _chance() -> rx.Component | rx.Var[Any]:
    return rx.cond(JobDetailState.chance_note, f"; {JobDetailState.chance_note}", "")


def _samples() -> rx.Component:
    searches = rx.el.ul(rx.foreach(JobDetailState.samples, _search), id="job-samples")
    answers = rx.el.ul(
        rx.foreach(JobDetailState.samples, _sample), id="job-samples", class_name="grid gap-x-8 gap-y-5 lg:grid-cols-2"
    )
    return card(
        rx.cond(JobDetailState.searches, searches, answers),
        title=rx.cond(JobDetailState.searches, "Searches", "Samples"),
        note=rx.cond(
            JobDetailState.searches,
            "captions of validation clips, and the five best matches",
            rx.fragment("validation clips with their predictions; hover to play", _chance()),
        ),
    )


def _mistakes() -> rx.Component:
    every = button("Show all", size="sm", variant="ghost", on_click=JobDetailState.show_mistakes(""))
    none = rx.el.p(
        "Only the most confident mistakes are stored; none of these is among them.",
        class_name="text-sm text-muted-foreground",
    )
    grid = rx.el.ul(
        rx.foreach(JobDetailState.shown_mistakes, _mistake),
        id="job-mistakes",
        class_name="grid grid-cols-2 gap-4 sm:grid-cols-3 lg:grid-cols-5",
    )
    return card(
        rx.cond(JobDetailState.shown_mistakes, grid, none),
        title="Misclassified clips",
        note=rx.cond(JobDetailState.pair, JobDetailState.pair, "most confident first"),
        actions=rx.cond(JobDetailState.pair, every, rx.fragment()),
        id=MISTAKES_ID,
        tab_index=-1,
        class_name="scroll-mt-20 focus-ring",
    )


def samples_panel() -> rx.Component:
    """Predictions for single clips, updated after each evaluation."""
    nothing = rx.cond(
        head.active,
        "After the first evaluation, some validation clips are shown here with their predictions.",
        "This run ended before its first evaluation.",
    )
    return rx.el.div(
        rx.cond(
            JobDetailState.samples | JobDetailState.mistakes,
            rx.fragment(),
            card(rx.el.p(nothing, class_name="text-sm text-muted-foreground")),
        ),
        rx.cond(JobDetailState.mistakes, _mistakes(), rx.fragment()),
        rx.cond(JobDetailState.samples, _samples(), rx.fragment()),
        class_name="flex flex-col gap-4 pt-4",
    )
