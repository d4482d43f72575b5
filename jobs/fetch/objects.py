"""Downloads many objects, one after the other: complete ones stay, and an interrupted one continues where it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jobs.fetch.failures import is_changed
from jobs.fetch.object_folder import ObjectFolder, PartialObject, RemoteObject
from jobs.fetch.report import Problem, Progress
from jobs.fetch.retry import Retry


class Store(Protocol):
    """From where the objects are downloaded."""

    def copy(self, remote: RemoteObject, target: PartialObject) -> None:
        """Appends the object's bytes from `target.size` on.

        Raises:
            Exception: any; `failures.is_changed` if the object has another version by now.
        """
        ...


def fetch_objects(
    objects: Sequence[RemoteObject], store: Store, folder: ObjectFolder, progress: Progress, timeout_s: float
) -> list[tuple[Path, str]]:
    """Downloads all of them: [(file, the object's name)].

    Args:
        timeout_s: how long a connection that breaks again and again, and brings nothing, is retried.

    Raises:
        Problem: a sentence; and whatever the store's library raises.
    """
    progress.total = sum(remote.size for remote in objects)
    try:
        progress.check_total()
    except Problem:
        folder.delete_all()
        raise
    progress.resume_at(folder.delete_others(objects))
    progress.report()
    return [(_fetch(remote, store, folder, progress, timeout_s), remote.name) for remote in objects]


def _fetch(remote: RemoteObject, store: Store, folder: ObjectFolder, progress: Progress, timeout_s: float) -> Path:
    path = folder.path(remote)
    if path.exists():
        return path
    with folder.partial(remote, progress) as target:
        _copy(remote, store, target, Retry(timeout_s, progress))
        target.complete(path)
    return path


def _copy(remote: RemoteObject, store: Store, target: PartialObject, retry: Retry) -> None:
    while True:
        before = target.size
        try:
            if target.size < remote.size:
                store.copy(remote, target)
            if target.size < remote.size:
                raise ConnectionResetError  # not every library notices
            return
        except Exception as error:
            if is_changed(error):
                raise Problem(f"{remote.name} was changed or deleted while it was fetched. Try again.") from error
            if target.size > before:
                retry.reset()
            retry.wait_or_raise(error)
            if not remote.version:
                target.restart()
