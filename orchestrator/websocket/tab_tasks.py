"""Long tasks of a browser tab, cancelled when its websocket closes: their result would not be seen."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

CANCEL_AGAIN_S = 5.0
"""Longer than what a task does before it ends, so that this is not cancelled too."""


@dataclass(slots=True, eq=False)
class TabTask:
    """A task that runs for a tab."""

    task: asyncio.Task[Any]
    tab_closed: bool = False
    """True when this is why the task was cancelled."""


_tasks: dict[str, list[TabTask]] = {}
"""What runs for each tab, by its client token."""


@contextmanager
def ends_with_tab(token: str) -> Iterator[TabTask]:
    """While inside, the current task is cancelled when the tab of this client token is closed or reloaded."""
    task = asyncio.current_task()
    assert task is not None
    mine = TabTask(task)
    _tasks.setdefault(token, []).append(mine)
    try:
        yield mine
    finally:
        _tasks[token].remove(mine)
        if not _tasks[token]:
            del _tasks[token]


def end_tasks_of_tab(token: str) -> None:
    """Cancels what still runs for a tab."""
    for running in tuple(_tasks.get(token, ())):
        running.tab_closed = True
        _cancel(token, running)


def _cancel(token: str, running: TabTask) -> None:
    """Cancels a task, and again while it goes on: a library may lose a cancellation that comes between two waits."""
    if running in _tasks.get(token, ()):
        running.task.cancel()
        running.task.get_loop().call_later(CANCEL_AGAIN_S, _cancel, token, running)
