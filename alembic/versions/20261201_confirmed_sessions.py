"""When a session's user last gave the password; one of before has given it at its login."""

import sqlalchemy as sa
from alembic import op

from orchestrator.domain.base import UtcDateTime

revision = "0016_confirmed_sessions"
down_revision = "0015_wizard_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_sessions", sa.Column("confirmed_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("user_sessions", "confirmed_at")
