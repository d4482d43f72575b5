"""When stored credentials were last used."""

import sqlalchemy as sa
from alembic import op

import orchestrator.domain.base

revision = "0010_credentials"
down_revision = "0009_rehearsals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("credentials") as batch:
        batch.add_column(sa.Column("used_at", orchestrator.domain.base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("credentials") as batch:
        batch.drop_column("used_at")
