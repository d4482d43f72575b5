"""Leader election: one controller acts at a time, the one whose name is in the database with a lease that is valid."""

import time
from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from orchestrator.domain.base import utcnow
from orchestrator.domain.workers import ControllerLease

LEASE_S = 10.0
RENEW_S = 3.0
_ROW = "main"


class LeaderLease:
    """One controller's claim to be the leader."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._until = 0.0
        self._next_renewal = 0.0

    @property
    def is_leader(self) -> bool:
        """Whether it may act now, by its own clock: a process that was frozen for longer than its lease may not."""
        return time.monotonic() < self._until

    def claim(self, session: Session) -> bool:
        """Takes the lease, or renews it when that is due; True while it is ours."""
        began = time.monotonic()
        if began < self._next_renewal and self.is_leader:
            return True
        if session.get(ControllerLease, _ROW) is None:
            try:
                with session.begin_nested():
                    session.add(ControllerLease(name=_ROW, holder="", expires_at=utcnow()))
            except IntegrityError:
                pass  # another controller made the row at the same moment
        now = utcnow()
        statement = (
            update(ControllerLease)
            .where(
                col(ControllerLease.name) == _ROW,
                or_(col(ControllerLease.holder) == self.holder, col(ControllerLease.expires_at) <= now),
            )
            .values(holder=self.holder, expires_at=now + timedelta(seconds=LEASE_S))
            .execution_options(synchronize_session=False)
        )
        if session.exec(statement).rowcount == 1:
            self._until, self._next_renewal = began + LEASE_S - 1.0, began + RENEW_S
            return True
        self._until = 0.0
        return False

    def release(self, session: Session) -> None:
        """Gives the lease up, so that another controller acts at once."""
        own = update(ControllerLease).where(col(ControllerLease.holder) == self.holder)
        session.exec(own.values(expires_at=utcnow()).execution_options(synchronize_session=False))
        self._until = 0.0
