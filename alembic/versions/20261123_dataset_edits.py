"""The edits of a dataset, one a version, and since which version a clip is in it."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import orchestrator.domain.base

revision = "0005_edits"
down_revision = "0004_queue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_edits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("created_at", orchestrator.domain.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_edits_dataset_id_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_edits")),
    )
    op.create_index(op.f("ix_dataset_edits_dataset_id"), "dataset_edits", ["dataset_id"], unique=False)
    op.add_column("clips", sa.Column("since", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("clips", "since")
    op.drop_index(op.f("ix_dataset_edits_dataset_id"), table_name="dataset_edits")
    op.drop_table("dataset_edits")
