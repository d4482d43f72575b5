"""`python -m orchestrator.stack.prepare_database`: migrates, then registers the built-in base models.

A process of its own, because the supervisor stays small without SQLAlchemy and Alembic.
"""

import sys

from orchestrator.services.db import DATABASE_AWAY, NewerDatabase, run_migrations, session_scope, why_away
from orchestrator.services.models.builtin import ensure_builtin
from orchestrator.stack.migrate import TOO_NEW


def main() -> int:
    """0 when everything is in place, `TOO_NEW` when a newer version wrote the database."""
    try:
        run_migrations()
        with session_scope() as session:
            ensure_builtin(session)
    except NewerDatabase:
        return TOO_NEW
    except DATABASE_AWAY as error:
        print(why_away(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
