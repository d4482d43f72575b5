"""The files tab of a job: what the run left behind, one by one."""

import reflex as rx

from orchestrator.states.jobs.detail import JobDetail
from orchestrator.states.jobs.detail_tabs import FileLine
from orchestrator.ui.patterns.relative_time import relative_time
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.card import card
from orchestrator.ui.primitives.table import cell, head_cell, row, table

head = JobDetail.head


def _file(line: FileLine) -> rx.Component:
    name = rx.el.a(line.name, href=line.href, download=True, class_name="link-quiet font-mono text-xs break-all")
    return row(cell(name), cell(line.size, number=True), cell(relative_time(line.at), muted=True))


def files_panel() -> rx.Component:
    """Adapter, curves, log: each to be taken home alone."""
    nothing = rx.el.p(
        "Nothing is written yet. Curves and log appear with the first step, the adapter at the end.",
        class_name="p-5 text-sm text-muted-foreground",
    )
    whole = button(
        "Adapter as one zip",
        size="sm",
        icon="download",
        href=f"/api/v1/jobs/{head.id}/download",
        download=True,
    )
    listed = table(
        ["File", head_cell("Size", number=True), "Written"],
        rx.foreach(JobDetail.files, _file),
        label="Files of this job",
    )
    return rx.el.div(
        card(
            rx.cond(JobDetail.files, listed, nothing),
            title="Files",
            note=JobDetail.files_size,
            actions=rx.cond(JobDetail.adapter_size, whole, rx.fragment()),
            padded=False,
            id="job-files",
        ),
        class_name="pt-4",
    )
