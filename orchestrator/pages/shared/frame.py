"""The shell around every signed-in page, bound to the user, the running jobs, the workers and the notifications."""

from typing import Any, Literal

import reflex as rx

from orchestrator.pages.shared.worker_status import worker_status
from orchestrator.states.shell.notifications import NotificationsState
from orchestrator.states.shell.running_jobs import RunningJobsState
from orchestrator.states.shell.session import SessionState
from orchestrator.ui.layout.bell import bell
from orchestrator.ui.layout.shell import page_header, shell


def frame(
    *content: Any,
    title: str | rx.Var[str],
    active: Literal["overview", "datasets", "models", "jobs", "adapters", "playground", "workers", "settings", ""],
    breadcrumb: list[tuple[Any, Any]] | None = None,
    wide: bool = False,
) -> rx.Component:
    """The page inside sidebar and top bar. `breadcrumb`: (label, href) pairs before `title`."""
    return shell(
        *content,
        title=title,
        active=active,
        breadcrumb=breadcrumb,
        user_name=SessionState.username,
        on_logout=SessionState.log_out,
        running=RunningJobsState.count,
        running_percent=RunningJobsState.percent,
        running_series=RunningJobsState.series,
        waiting=RunningJobsState.waiting,
        foot=worker_status(),
        bell=bell(
            NotificationsState.items,
            unread=NotificationsState.unread,
            newest=NotificationsState.newest,
            on_open=NotificationsState.read_all,
        ),
        wide=wide,
    )


def list_page(state: Any, nouns: Any, *content: rx.Component, actions: rx.Component | None = None) -> rx.Component:
    """The page of a list, titled after its records ("datasets"). `state` mixes in `Listed`."""
    title = nouns.capitalize()
    note = rx.el.span(state.summary, class_name="block min-h-5")
    return frame(page_header(title, note=note, actions=actions), *content, title=title, active=nouns)
