"""The first tab of a job: the loss curve with its figures, the result, the end of the log."""

from typing import Any

import reflex as rx

from orchestrator.pages.jobs.detail_charts import run_chart
from orchestrator.pages.jobs.detail_device import device_card
from orchestrator.pages.shared.forms import small_note
from orchestrator.pages.shared.terms import explain_curve
from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.metric_cards import MetricCard
from orchestrator.states.jobs.samples import ClassLine, ClassRow, ConfusionRow, MetricComparison
from orchestrator.ui.patterns.cards import stat_card
from orchestrator.ui.primitives.badge import badge
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.log_view import log_view
from orchestrator.ui.primitives.values import copy_text

head = JobDetailState.head


def _figure(item: MetricCard) -> rx.Component:
    return stat_card(item.label, item.value, note=item.note, unit=item.unit, help=explain_curve(item.key))


def _chart() -> rx.Component:
    word = rx.match(
        head.status,
        ("failed", f"Failed at step {JobDetailState.progress.step}"),
        ("stopped", f"Stopped at step {JobDetailState.progress.step}"),
        "",
    )
    return card(
        run_chart(stop_word=word, height=520, around=rx.cond(head.active, 530, 440)),
        id="loss-card",
        class_name="min-w-0",
    )


def _log() -> rx.Component:
    live = rx.cond(head.active, badge("Live", tone="primary"), rx.fragment())
    return card(
        log_view(
            JobDetailState.tail.to(list[dict[str, Any]]),
            height="11rem",
            empty="The log begins when a worker takes the job.",
        ),
        title="Log",
        actions=rx.fragment(
            live, button("All lines", variant="ghost", size="sm", on_click=JobDetailState.show_tab("logs"))
        ),
    )


def _cell(entry: rx.Var) -> rx.Component:
    shade = rx.cond(entry.right, "bg-success/13 font-medium", rx.cond(entry.clips > 0, "bg-destructive/8", ""))
    wrong = rx.el.button(
        entry.clips,
        type="button",
        aria_label=f"{entry.count}, {entry.pair}: show them",
        title="Show these clips",
        on_click=JobDetailState.show_mistakes(entry.pair),
        class_name="size-full min-h-9 cursor-pointer underline decoration-dotted underline-offset-4 focus-ring",
    )
    return rx.el.td(
        rx.cond(entry.right | (entry.clips == 0), entry.clips, wrong),
        class_name=f"h-9 min-w-10 border border-border text-center font-mono text-xs tabular {shade}",
    )


def _row(item: ConfusionRow) -> rx.Component:
    return rx.el.tr(
        rx.el.th(item.label, scope="row", class_name="pr-3 text-right text-xs font-medium whitespace-nowrap"),
        rx.foreach(item.cells, _cell),
        rx.el.td(item.right, class_name="pl-3 font-mono text-xs tabular text-muted-foreground"),
    )


def _confusion() -> rx.Component:
    result = JobDetailState.result
    title = rx.el.caption(
        "Rows: labels. Columns: predictions. Press a wrong count to see its clips.",
        class_name="caption-bottom pt-2 text-left text-xs text-muted-foreground",
    )
    heads = rx.foreach(
        result.labels,
        lambda label: rx.el.th(label, scope="col", class_name="px-1 pb-1 text-xs font-medium text-muted-foreground"),
    )
    return rx.el.div(
        rx.el.table(
            title,
            rx.el.thead(
                rx.el.tr(
                    rx.el.td(),
                    heads,
                    rx.el.th(
                        "right", scope="col", class_name="pl-3 text-left text-xs font-medium text-muted-foreground"
                    ),
                )
            ),
            rx.el.tbody(rx.foreach(result.confusion, _row)),
            id="confusion",
        ),
        tab_index=0,
        role="region",
        aria_label="Confusion matrix",
        class_name="overflow-x-auto",
    )


def _class_line(item: ClassLine) -> rx.Component:
    cell = "py-1 pl-4 text-right font-mono text-xs tabular"
    figures = (item.clips, item.average_precision, item.precision, item.recall, item.f1)
    return rx.el.tr(
        rx.el.th(item.name, scope="row", class_name="py-1 text-left text-xs font-medium break-words"),
        *(rx.el.td(figure, class_name=cell) for figure in figures),
    )


def _classes() -> rx.Component:
    """The table of classes of a run with several labels."""
    result = JobDetailState.result
    title = rx.el.caption(
        "AP: average precision. Precision, recall and F1 count a class from a score of 50 %. ",
        result.unjudged,
        class_name="caption-bottom pt-2 text-left text-xs text-muted-foreground",
    )
    heads = ("Clips", "AP", "Precision", "Recall", "F1")
    style = "sticky top-0 bg-card pb-1 text-xs font-medium text-muted-foreground"
    return rx.el.div(
        rx.el.table(
            title,
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("Class", scope="col", class_name=f"text-left {style}"),
                    *(rx.el.th(head, scope="col", class_name=f"pl-4 text-right {style}") for head in heads),
                )
            ),
            rx.el.tbody(rx.foreach(result.classes, _class_line)),
            id="class-results",
        ),
        tab_index=0,
        role="region",
        aria_label="Results by class",
        class_name="max-h-96 max-w-full overflow-auto focus-ring",
    )


def _metric(item: MetricComparison) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.span(item.label, explain_curve(item.name), class_name="inline-flex items-center gap-0.5"),
            scope="row",
            class_name="py-1 pr-6 text-left text-sm font-medium whitespace-nowrap",
        ),
        rx.el.td(item.now, class_name="pr-6 text-right font-mono text-sm tabular"),
        rx.el.td(item.before, class_name="text-right font-mono text-sm tabular text-muted-foreground"),
    )


def _metrics() -> rx.Component:
    """Each metric of the task, and the untouched base's, or that of chance, on the same clips."""
    head = "pb-1 text-right text-xs font-medium text-muted-foreground"
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.td(),
                rx.el.th("fine-tuned", scope="col", class_name=f"pr-6 {head}"),
                rx.el.th(JobDetailState.result.baseline, scope="col", class_name=head),
            )
        ),
        rx.el.tbody(rx.foreach(JobDetailState.result.metrics, _metric)),
        id="job-reached",
        class_name="shrink-0",
    )


def _class_row(item: ClassRow) -> rx.Component:
    shares = (item.precision, item.recall, item.f1, item.support)
    return rx.el.tr(
        rx.el.th(item.name, scope="row", class_name="py-1 pr-6 text-left text-sm font-medium"),
        *(rx.el.td(share, class_name="pl-4 text-right font-mono text-sm tabular") for share in shares),
    )


def _by_class() -> rx.Component:
    """Precision, recall and F1 of each class, on its validation clips."""
    head = "pb-1 pl-4 text-right text-xs font-medium text-muted-foreground"
    columns = ("precision", "recall", "F1", "clips")
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(rx.el.td(), *(rx.el.th(column, scope="col", class_name=head) for column in columns)),
        ),
        rx.el.tbody(rx.foreach(JobDetailState.result.by_class, _class_row)),
        id="job-classes",
        class_name="max-w-full",
    )


def _result() -> rx.Component:
    result = JobDetailState.result
    return card(
        rx.el.div(
            rx.el.div(
                rx.el.p(result.headline, class_name="text-3xl font-semibold tracking-tight tabular", id="job-accuracy"),
                rx.el.p(result.clips, class_name="text-sm text-muted-foreground"),
                rx.cond(
                    result.loss,
                    rx.el.p("Validation loss ", result.loss, class_name="mt-1 text-xs text-muted-foreground"),
                ),
                class_name="min-w-0 max-w-full",
            ),
            _metrics(),
            rx.cond(result.by_class, _by_class()),
            rx.cond(
                result.classes,
                _classes(),
                rx.cond(result.confusion, _confusion(), small_note(result.matrix_note)),
            ),
            class_name="flex flex-wrap items-start gap-x-8 gap-y-5",
        ),
        title="Result",
        note="on clips that were not trained on",
        id="job-result",
        class_name="min-w-0",
    )


def _adapter_code() -> rx.Component:
    return card(
        rx.el.pre(
            rx.el.code(JobDetailState.load_code, id="load-code"),
            tab_index=0,
            role="region",
            aria_label="How to load the adapter",
            class_name="max-h-72 overflow-auto rounded-lg bg-background p-4 font-mono text-xs leading-5",
        ),
        title="Use the adapter",
        note=rx.fragment(JobDetailState.adapter_size, ", save this as a .py file in the unzipped folder"),
        actions=copy_text(JobDetailState.load_code, label="Copy the code"),
    )


def _figures(columns: str) -> rx.Component:
    return rx.el.div(
        rx.foreach(JobDetailState.cards, _figure),
        class_name=f"grid grid-cols-2 content-start gap-3 sm:grid-cols-3 {columns}".strip(),
    )


def overview_panel() -> rx.Component:
    """While it runs: the chart, with the figures and the device next to it. Afterwards: the result next to the chart."""
    code = rx.cond(JobDetailState.load_code, _adapter_code(), rx.fragment())
    running = rx.el.div(
        _chart(),
        _figures("lg:grid-cols-2"),
        _log(),
        rx.cond(head.active, device_card(), rx.fragment()),
        class_name="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]",
    )
    ended = rx.fragment(
        rx.el.div(
            _result(),
            rx.el.div(_chart(), _figures(""), class_name="flex min-w-0 flex-col gap-4"),
            class_name="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,26rem)_minmax(0,1fr)]",
        ),
        code,
        _log(),
    )
    return rx.el.div(
        rx.cond((head.status == "completed") & JobDetailState.result.known, ended, rx.fragment(running, code)),
        class_name="flex flex-col gap-4 pt-4",
    )
