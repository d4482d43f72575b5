"""Binds the shell to the person and to the jobs that run: every signed-in page is made by `frame`."""

from typing import Any, Literal

import reflex as rx

from orchestrator.pages.shared.worker_status import machines
from orchestrator.states.shell.notifications import NoticesState
from orchestrator.states.shell.running_jobs import RunningState
from orchestrator.states.shell.session import SessionState
from orchestrator.ui.layout.bell import bell
from orchestrator.ui.layout.shell import shell


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
        running=RunningState.count,
        running_percent=RunningState.percent,
        running_series=RunningState.series,
        waiting=RunningState.waiting,
        foot=machines(),
        bell=bell(
            NoticesState.items,
            unread=NoticesState.unread,
            newest=NoticesState.newest,
            on_look=NoticesState.read_all,
        ),
        wide=wide,
    )
