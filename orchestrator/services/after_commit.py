"""Runs what must wait for the ledger: a message about a row goes out only when the row is truly written."""

from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlmodel import Session

log = structlog.get_logger(__name__)


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Calls `action` once, right after this session commits; never when it rolls back.

    An action that fails is logged and not raised: the rows stand, and a sweep sends again what was not sent.
    """

    def committed(_session: Session) -> None:
        event.remove(session, "after_rollback", rolled_back)
        try:
            action()
        except RedisError as error:
            log.warning("after_commit_failed", error=str(error))
        except Exception:
            log.exception("after_commit_failed")

    def rolled_back(_session: Session) -> None:
        event.remove(session, "after_commit", committed)

    event.listen(session, "after_commit", committed, once=True)
    event.listen(session, "after_rollback", rolled_back, once=True)
