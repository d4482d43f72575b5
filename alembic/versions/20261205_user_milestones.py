"""What an account did for the first time: the checklist of the overview shows it."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from orchestrator.domain.base import UtcDateTime

revision = "0020_user_milestones"
down_revision = "0019_rehearsal_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_milestones",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("reached_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_milestones_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_user_milestones")),
    )


def downgrade() -> None:
    op.drop_table("user_milestones")
