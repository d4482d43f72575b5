"""Brings many objects, one after the other: what is here already stays; where the line breaks, it goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jobs.fetch.failures import is_another
from jobs.fetch.kept import Half, Kept, Object
from jobs.fetch.patience import Patience
from jobs.fetch.report import Problem, Progress


class Store(Protocol):
    """Where the objects lie."""

    def copy(self, one: Object, half: Half) -> None:
        """Writes the object, from the byte `half.size` on, if it is still of the same version; else any error of it."""
        ...


def fetch_objects(
    objects: Sequence[Object], store: Store, kept: Kept, progress: Progress, patience_s: float
) -> list[tuple[Path, str]]:
    """All of them in a folder: [(file, its name)].

    Args:
        patience_s: how long a line that breaks again and again, and brings nothing, is borne.

    Raises:
        Problem: a sentence; and whatever the store's library raises.
    """
    progress.total = sum(one.size for one in objects)
    try:
        progress.check_total()
    except Problem:
        kept.forget()  # it is of no use to anybody
        raise
    progress.go_on_from(kept.sort_out(objects))
    progress.tell()
    return [(_fetch(one, store, kept, progress, patience_s), one.name) for one in objects]


def _fetch(one: Object, store: Store, kept: Kept, progress: Progress, patience_s: float) -> Path:
    path = kept.path(one)
    if path.exists():
        return path
    with kept.half(one, progress) as half:
        _copy(one, store, half, progress, patience_s)
        half.settle(path)
    return path


def _copy(one: Object, store: Store, half: Half, progress: Progress, patience_s: float) -> None:
    patience = Patience(patience_s, progress)
    while True:
        before = half.size
        try:
            if half.size < one.size:
                store.copy(one, half)
            if half.size < one.size:
                raise ConnectionResetError  # not every library minds
            return
        except Exception as error:
            if is_another(error):
                raise Problem(f"{one.name} was changed or deleted while it was fetched. Try again.") from error
            if half.size > before:
                patience.heard()
            patience.bear(error)
            if not one.version:
                half.restart()
