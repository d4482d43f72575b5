"""An idempotency key is bound to what was asked for with it; what was launched before has no hash."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0013_request_hashes"
down_revision = "0012_clip_problems"
branch_labels = None
depends_on = None

_TABLES = ("training_jobs", "sweeps")


def upgrade() -> None:
    for table in _TABLES:
        text = sqlmodel.sql.sqltypes.AutoString(length=64)
        op.add_column(table, sa.Column("request_hash", text, nullable=False, server_default=""))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "request_hash")
