"""The files tab of a job: every file that the run has written."""

import reflex as rx

from orchestrator.states.jobs.detail import JobDetailState
from orchestrator.states.jobs.detail_tabs import FileLine
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.table import cell, head_cell, row, table

head = JobDetailState.head


def _file(line: FileLine) -> rx.Component:
    name = rx.el.a(line.name, href=line.href, download=True, class_name="link-quiet font-mono text-xs break-all")
    return row(cell(name), cell(line.size, number=True), cell(relative_time(line.at), muted=True))


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
        class_name="pt-4",
    )
