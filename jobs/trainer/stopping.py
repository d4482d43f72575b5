"""How a run hears a request to stop outside of its training steps: loading, features, evaluations, generation, export.

Long work calls `StopSignal.check` after each batch, which raises `StopRequested` where nothing is lost by leaving.
"""

from collections.abc import Callable

from jobs.families.protocol import Item, Items
from jobs.sinks.recorder import Recorder
from jobs.trainer.distributed import any_rank, world_size
from orchestrator.domain.live_records import Stage


class StopRequested(Exception):
    """The run was asked to stop and leaves what it is doing."""


class StopSignal:
    """Whether the run was asked to stop, and what it is doing at the moment."""

    def __init__(self, asked: Callable[[], bool] = lambda: False, recorder: Recorder | None = None) -> None:
        """`asked`: True once this process was asked to stop."""
        self.asked, self._recorder = asked, recorder
        self.stage = Stage.LOADING
        self.stopped_in: Stage | None = None
        """The stage in which the request was heard; None while the run goes on."""

    @property
    def stopping(self) -> bool:
        """True once the run reacted to the request; it is asked no more after that."""
        return self.stopped_in is not None

    def requested(self) -> bool:
        """True for every rank once one of them was asked; all of them must call it at the same point."""
        return self._accept(self.stopping or any_rank(self.asked()))

    def check(self) -> None:
        """Leaves the current work when the run was asked to stop; all ranks must call it at the same point.

        Raises:
            StopRequested: only the first time; what a stopped run still has to save is not interrupted.
        """
        if not self.stopping and self.requested():
            raise StopRequested

    def check_alone(self) -> None:
        """The same without asking other ranks: for work that the main process does alone, or that one process does."""
        if not self.stopping and self._accept(self.asked()):
            raise StopRequested

    def check_token(self) -> None:
        """Between two generated tokens. Several ranks may generate different lengths, so they stop between batches."""
        if world_size() == 1:
            self.check_alone()

    def enter(self, stage: Stage, step: int = 0, total: int = 0, epoch: float = 0.0) -> None:
        """Notes what the run does from now on, and records it for its supervisor."""
        if stage is self.stage:
            return
        self.stage = stage
        if self._recorder is not None:
            self._recorder.progress(step, total, epoch, stage.value.replace("_", " "), stage)

    def _accept(self, asked: bool) -> bool:
        if asked and self.stopped_in is None:
            self.stopped_in = self.stage
        return asked


class StoppableItems:
    """The clips of an evaluation; before each of them the run may be stopped."""

    def __init__(self, items: Items, stop: StopSignal) -> None:
        self._items, self._stop = items, stop

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Item:
        self._stop.check()
        return self._items[index]
