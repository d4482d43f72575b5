"""The files tab of a job: every file that the run has written, and its checkpoints."""

import reflex as rx

from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.detail_tabs import CheckpointLine, FileLine
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.alert_dialog import alert_dialog
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.table import cell, head_cell, row, table

head = JobDetailState.head


def _file(line: FileLine) -> rx.Component:
    name = rx.el.a(line.name, href=line.href, download=True, class_name="link-muted font-mono text-xs break-all")
    return row(cell(name), cell(line.size, number=True), cell(relative_time(line.at), muted=True))


def _checkpoint(line: CheckpointLine) -> rx.Component:
    return row(cell(line.step), cell(line.size, number=True), cell(relative_time(line.at), muted=True))


def _checkpoints() -> rx.Component:
    """What a run resumes from; of no use once the job is completed."""
    consequence = rx.cond(
        head.status == "completed",
        "Adapter, curves and log stay.",
        "Adapter, curves and log stay. If the job is resumed, it starts over at the first step.",
    )
    delete = alert_dialog(
        title="Delete the checkpoints of this job?",
        description=consequence,
        confirm="Delete checkpoints",
        on_confirm=JobDetailState.delete_checkpoints,
        opener=button("Delete checkpoints", size="sm", icon="trash-2", id="checkpoints-delete"),
    )
    return card(
        table(
            ["Step", head_cell("Size", number=True), "Saved"],
            rx.foreach(JobDetailState.checkpoints, _checkpoint),
            label="Checkpoints of this job",
        ),
        title="Checkpoints",
        note=JobDetailState.checkpoints_size,
        actions=rx.cond(head.active, rx.fragment(), delete),
        padded=False,
        id="job-checkpoints",
    )


def files_panel() -> rx.Component:
    """Adapter, curves, log: each can be downloaded."""
    nothing = rx.el.p(
        "Nothing is written yet. Curves and log appear with the first step, the adapter at the end.",
        class_name="p-5 text-sm text-muted-foreground",
    )
    download_all = button(
        "Adapter as one zip",
        size="sm",
        icon="download",
        href=f"/api/v1/jobs/{head.id}/download",
        download=True,
    )
    listed = table(
        ["File", head_cell("Size", number=True), "Written"],
        rx.foreach(JobDetailState.files, _file),
        label="Files of this job",
    )
    return rx.el.div(
        card(
            rx.cond(JobDetailState.files, listed, nothing),
            title="Files",
            note=JobDetailState.files_size,
            actions=rx.cond(JobDetailState.adapter_size, download_all, rx.fragment()),
            padded=False,
            id="job-files",
        ),
        rx.cond(JobDetailState.checkpoints, _checkpoints(), rx.fragment()),
        class_name="grid gap-4 pt-4",
    )
