"""Runs actions after a commit: a message about a row is sent only once the row is written."""

from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlmodel import Session

log = structlog.get_logger(__name__)


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Calls `action` once, right after this session commits; never when it rolls back.

    An action that fails is logged and not raised: the rows are written, and the controller sends lost messages again.
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
