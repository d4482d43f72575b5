"""The page at `/jobs/[id]`: one training job, live."""

import reflex as rx

from orchestrator.pages.jobs.detail_failure import failure_panel
from orchestrator.pages.jobs.detail_files import files_panel
from orchestrator.pages.jobs.detail_overview import overview_panel
from orchestrator.pages.jobs.detail_panels import log_panel, metrics_panel, settings_panel, system_panel, timeline_panel
from orchestrator.pages.jobs.detail_samples import samples_panel
from orchestrator.pages.shared.frame import frame
from orchestrator.pages.shared.loading_states import record_page
from orchestrator.states.jobs.detail import TABS, JobDetailState
from orchestrator.states.shell.session import SessionState
from orchestrator.ui.layout.shell import page_header
from orchestrator.ui.patterns.cards import metric, metrics
from orchestrator.ui.patterns.confirm_delete import confirm_delete
from orchestrator.ui.patterns.page_visibility import page_visibility
from orchestrator.ui.patterns.relative_time import clock_time, relative_time
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.badge import tag
from orchestrator.ui.primitives.button import Variant, button
from orchestrator.ui.primitives.dropdown_menu import dropdown_menu, menu_item, menu_separator
from orchestrator.ui.primitives.icon import icon
from orchestrator.ui.primitives.link import link
from orchestrator.ui.primitives.pick import pick
from orchestrator.ui.primitives.progress import progress, swatch
from orchestrator.ui.primitives.skeleton import skeleton
from orchestrator.ui.primitives.status_chip import status_chip
from orchestrator.ui.primitives.tabs import tab_panel, tabs

head = JobDetailState.head


def _steps() -> rx.Component:
    now = JobDetailState.progress
    return rx.fragment(" at step ", now.step, rx.cond(now.total, f" of {now.total}", ""))


def _note() -> rx.Component:
    model = rx.cond(head.model_id, link(head.model, href=f"/models/{head.model_id}"), head.model)
    dataset = rx.cond(head.dataset_id, link(head.dataset, href=f"/datasets/{head.dataset_id}"), head.dataset)
    when = rx.match(
        head.status,
        ("queued", rx.fragment(", launched ", relative_time(head.created))),
        ("completed", rx.fragment(", ran ", head.ran, ", finished ", relative_time(head.finished))),
        ("failed", rx.fragment(", ran ", head.ran, ", failed ", relative_time(head.finished), _steps())),
        ("stopped", rx.fragment(", ran ", head.ran, ", stopped ", relative_time(head.finished), _steps())),
        rx.fragment(", started ", rx.cond(head.started, relative_time(head.started), "not yet")),
    )
    made = rx.cond(
        JobDetailState.version_id,
        rx.fragment(", produced ", link(JobDetailState.version, href=f"/adapters/{JobDetailState.version_id}")),
        rx.fragment(),
    )
    return rx.el.span(model, " on ", dataset, when, made)


def _stop() -> rx.Component:
    return alert_dialog(
        title="Stop this training?",
        description=f"{head.name} ends after its current step, or leaves its evaluation. Its curves, its log and the steps trained so far stay.",
        confirm="Stop training",
        cancel="Let it run",
        on_confirm=JobDetailState.stop,
        opener=button(
            "Stop",
            variant="destructive",
            icon="circle-stop",
            id="job-stop",
            disabled=JobDetailState.stopping | (head.status == "stopping"),
        ),
    )


def _download(variant: Variant) -> rx.Component:
    """The main action of a completed job; for a failed one it is below."""
    return button(
        "Download adapter",
        variant=variant,
        icon="download",
        href=f"/api/v1/jobs/{head.id}/download",
        download=True,
        id="job-download",
    )


def _actions() -> list[rx.Component]:
    delete = confirm_delete(
        rx.el.p("Its curves and its log are deleted. Its adapter, the dataset and the base model stay."),
        what="job",
        name=head.name,
        on_confirm=JobDetailState.delete,
        open=JobDetailState.deleting,
        on_open_change=JobDetailState.show_delete,
        by_name=False,
    )
    remove = rx.fragment(
        menu_separator(),
        menu_item("Delete", icon="trash-2", destructive=True, on_click=JobDetailState.show_delete(True)),
    )
    again = (head.status == "stopped") | (head.status == "failed")
    return [
        rx.cond(head.active, _stop(), rx.fragment()),
        rx.cond(again, button("Resume", icon="play", on_click=JobDetailState.resume, id="job-resume"), rx.fragment()),
        rx.cond(
            JobDetailState.adapter_size,
            rx.cond(head.status == "failed", _download("outline"), _download("primary")),
            rx.fragment(),
        ),
        rx.cond(
            (JobDetailState.adapter_size != "") & (head.status == "completed"),
            button("Open in playground", icon="play", href=f"/playground?job={head.id}", id="job-try"),
            rx.fragment(),
        ),
        button("Clone", icon="copy", href=f"/jobs/new?clone={head.id}", id="job-clone"),
        dropdown_menu(
            menu_item("Compare with others", icon="git-compare", href=f"/jobs/compare?ids={head.id}"),
            menu_item("Export report (HTML)", icon="file-text", href=f"/api/v1/jobs/{head.id}/report"),
            rx.cond(head.active, rx.fragment(), remove),
            label="More",
            variant="ghost",
        ),
        delete,
    ]


def _priority() -> rx.Component:
    def choice(options: list[tuple[str, str]]) -> rx.Component:
        return pick(options, label="Priority", value=head.priority, on_change=JobDetailState.choose_priority)

    plain = [("low", "Low"), ("normal", "Normal")]
    return rx.cond(SessionState.is_admin, choice([*plain, ("high", "High")]), choice(plain))


def queue_card() -> rx.Component:
    """A waiting job's position in the queue, and its priority."""
    return rx.el.section(
        icon("clock", size=18, class_name="shrink-0 text-muted-foreground"),
        rx.el.div(
            rx.el.p(JobDetailState.queue_position.text, class_name="text-sm font-medium", id="job-queue-position"),
            rx.el.p(JobDetailState.queue_position.note, class_name="text-sm text-muted-foreground"),
            class_name="min-w-0 flex-1",
        ),
        rx.el.div(
            rx.el.span("Priority", aria_hidden=True, class_name="text-xs text-muted-foreground"),
            _priority(),
            class_name="flex items-center gap-3",
        ),
        aria_label="Position in the queue",
        class_name="flex flex-wrap items-center gap-4 rounded-xl border border-border bg-card p-5 touch:p-4",
    )


def progress_card() -> rx.Component:
    """Of an active job: percentage, step, epoch, time; and the bar in the job's colour."""
    now = JobDetailState.progress
    big = rx.el.p(
        rx.el.span(now.percent, class_name="text-3xl font-semibold tracking-tight tabular", id="job-percent"),
        rx.el.span("\u202f%", class_name="text-sm text-muted-foreground"),
        class_name="w-24 shrink-0",
    )
    figures = metrics(
        metric("Step", now.step, rx.cond(now.total, f"/ {now.total}", "")),
        metric("Epoch", now.epoch, rx.cond(now.epochs, f"/ {now.epochs}", "")),
        metric("Elapsed", rx.cond(now.elapsed, now.elapsed, "–")),
        metric("Left", rx.cond(now.left != "", now.left, "–")),
        metric("Done at", rx.cond(now.done_at != "", clock_time(now.done_at), "–")),
        class_name="grid flex-1 grid-cols-2 gap-4 max-md:w-full md:grid-cols-5",
    )
    return rx.el.section(
        rx.el.div(big, figures, class_name="flex items-start gap-6 max-md:flex-col max-md:gap-3"),
        progress(now.share * 100, label="Progress", series=head.series, height=8, class_name="mt-3"),
        rx.cond(
            head.status == "stopping",
            rx.el.p(
                JobDetailState.stop_note, role="status", class_name="mt-3 text-sm text-warning", id="job-stop-note"
            ),
            rx.fragment(),
        ),
        aria_label="Progress",
        class_name="rounded-xl border border-border bg-card px-5 py-4 touch:px-4",
    )


def trainer_notes() -> rx.Component:
    """What the trainer noted about the run: a smaller batch, features from the cache."""
    return rx.foreach(
        JobDetailState.notes, lambda note: rx.el.p(note, class_name="job-note -my-2 text-xs text-muted-foreground")
    )


def _job() -> rx.Component:
    panels = tabs(
        list(TABS.items()),
        tab_panel("overview", overview_panel()),
        tab_panel("metrics", metrics_panel()),
        tab_panel("samples", samples_panel()),
        tab_panel("logs", log_panel()),
        tab_panel("system", system_panel()),
        tab_panel("settings", settings_panel()),
        tab_panel("timeline", timeline_panel()),
        tab_panel("files", files_panel()),
        label="Job",
        value=JobDetailState.tab,
        on_change=JobDetailState.show_tab,
    )
    return rx.fragment(
        page_header(
            head.name,
            note=_note(),
            badges=rx.fragment(
                rx.el.span("#", head.id, class_name="font-mono text-sm text-muted-foreground"),
                status_chip(head.status),
                rx.cond(head.attempt > 1, tag("attempt ", head.attempt), rx.fragment()),
            ),
            swatch=swatch(head.series, size=14),
            actions=_actions(),
        ),
        rx.cond(head.status == "failed", failure_panel(), rx.fragment()),
        rx.cond((head.status == "queued") & (JobDetailState.queue_position.text != ""), queue_card(), rx.fragment()),
        rx.cond(head.active, progress_card(), rx.fragment()),
        trainer_notes(),
        # Keyed, so that another job in the same browser tab gets charts of its own.
        rx.el.div(panels, key=head.id.to_string()),
    )


def detail() -> rx.Component:
    """One job."""
    return frame(
        record_page(JobDetailState, "job", _job(), skeleton("h-28 rounded-xl"), skeleton("h-96 rounded-xl")),
        page_visibility(JobDetailState.set_visible),
        title=rx.cond(head.name, head.name, "Job"),
        active="jobs",
        breadcrumb=[("Training jobs", "/jobs")],
    )
