"""The answers of the playground side by side: bars for classes, a sentence, or ranked clips."""

import reflex as rx

from orchestrator.pages.shared.gauges import job_bar
from orchestrator.states.playground.index import PlaygroundState as State
from orchestrator.states.playground.rows import Bar, Hit, Panel
from orchestrator.ui.patterns.clip_player import clip_player
from orchestrator.ui.patterns.empty_state import empty_state
from orchestrator.ui.patterns.error_state import callout
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.progress import swatch
from orchestrator.ui.primitives.skeleton import skeleton, spinner


def _bar(bar: rx.Var[Bar], panel: rx.Var[Panel]) -> rx.Component:
    line = job_bar(bar.share, panel.series, bar.label)
    return rx.el.li(
        rx.el.div(
            rx.el.span(
                bar.label,
                rx.cond(
                    bar.right, icon("check", size=14, class_name="ml-1.5 text-success", label="right"), rx.fragment()
                ),
                class_name="flex min-w-0 items-center truncate",
            ),
            rx.el.span(bar.percent, class_name="shrink-0 tabular"),
            class_name="mb-1.5 flex justify-between gap-3 text-sm",
        ),
        line,
    )


def _hit(hit: rx.Var[Hit]) -> rx.Component:
    return rx.el.li(
        clip_player(hit.thumbnail, hit.preview, hit.name),
        rx.el.p(
            rx.el.span(hit.rank, class_name="mr-1.5 text-muted-foreground tabular"),
            rx.el.span(hit.caption, title=hit.caption, class_name="line-clamp-2 min-w-0 flex-1 break-words"),
            rx.el.span(hit.score, class_name="ml-2 shrink-0 text-muted-foreground tabular"),
            class_name="mt-1 flex items-baseline text-xs",
        ),
        class_name="min-w-0",
    )


def _verdict(panel: rx.Var[Panel]) -> rx.Component:
    return rx.cond(
        panel.verdict != "",
        rx.el.p(
            rx.match(
                panel.mark,
                ("right", icon("circle-check", class_name="text-success")),
                ("wrong", icon("circle-x", class_name="text-destructive")),
                icon("message-square", class_name="text-muted-foreground"),
            ),
            rx.el.span(panel.verdict, class_name="min-w-0 break-words"),
            class_name="flex items-center gap-2 rounded-lg bg-muted/60 px-3 py-2 text-sm",
        ),
        rx.fragment(),
    )


def _waiting() -> rx.Component:
    return rx.cond(
        State.busy,
        rx.el.div(skeleton("h-5 w-3/4"), skeleton("h-5 w-1/2"), class_name="flex flex-col gap-2"),
        rx.fragment(),
    )


def _answer(panel: rx.Var[Panel]) -> rx.Component:
    return rx.el.div(
        _verdict(panel),
        rx.cond(panel.text != "", rx.el.blockquote(panel.text, class_name="text-base break-words"), rx.fragment()),
        rx.el.ul(rx.foreach(panel.bars, lambda bar: _bar(bar, panel)), class_name="flex flex-col gap-3"),
        rx.el.ol(
            rx.foreach(panel.hits, _hit),
            class_name="grid grid-cols-[repeat(auto-fill,minmax(min(100%,7.5rem),1fr))] gap-3",
        ),
        rx.cond((panel.took == "") & (panel.text == ""), _waiting(), rx.fragment()),
        rx.cond(panel.more != "", rx.el.p(panel.more, class_name="text-xs text-muted-foreground"), rx.fragment()),
        class_name="flex flex-col gap-3",
    )


def _panel(panel: rx.Var[Panel]) -> rx.Component:
    mark = rx.cond(
        panel.series > 0,
        swatch(panel.series),
        rx.el.span(aria_hidden=True, class_name="size-2.5 shrink-0 rounded-sm bg-muted-foreground"),
    )
    return rx.el.article(
        rx.el.header(
            rx.el.div(
                rx.el.h2(
                    mark,
                    rx.el.span(panel.title, class_name="min-w-0 truncate"),
                    class_name="flex items-center gap-2 text-sm font-semibold",
                ),
                rx.el.p(panel.note, class_name="mt-0.5 truncate text-xs text-muted-foreground"),
                class_name="min-w-0",
            ),
            rx.el.span(panel.took, class_name="shrink-0 text-xs text-muted-foreground tabular"),
            class_name="mb-3 flex justify-between gap-3",
        ),
        _answer(panel),
        aria_label=panel.title,
        class_name="min-w-0 rounded-xl border border-border bg-card p-4",
        custom_attrs={"data-speaker": panel.who},
    )


def _state() -> rx.Component:
    return rx.el.p(
        rx.cond(
            State.busy,
            rx.fragment(
                spinner(size=14),
                rx.el.span(State.stage),
                button("Cancel", size="sm", variant="ghost", on_click=State.cancel, id="playground-cancel"),
            ),
            rx.el.span(State.timing, rx.cond(State.searches & (State.sampled != ""), ", " + State.sampled, "")),
        ),
        role="status",
        class_name="flex min-h-5 items-center gap-2 text-xs text-muted-foreground tabular",
    )


def _search_hint() -> rx.Component:
    return rx.cond(
        State.searches,
        empty_state(
            icon="search",
            title="Search a dataset in words",
            text="Describe what the clips should show. The first search embeds every clip; later ones are fast.",
        ),
        rx.fragment(),
    )


def panels() -> rx.Component:
    """The answers, or why there are none."""
    asked = State.can_ask & (State.curl != "")
    again = rx.cond(asked, button("Try again", size="sm", on_click=State.ask), rx.fragment())
    return rx.fragment(
        rx.cond(
            State.answer_problem != "",
            callout("No answer", State.answer_problem, again),
            rx.fragment(),
        ),
        rx.cond(
            State.panels.length() > 0,
            rx.el.div(
                rx.foreach(State.panels, _panel),
                aria_live="polite",
                aria_busy=State.busy,
                class_name="grid gap-4 md:grid-cols-2 md:[&>:only-child]:col-span-2",
            ),
            rx.cond(State.answer_problem == "", _search_hint(), rx.fragment()),
        ),
        _state(),
    )
