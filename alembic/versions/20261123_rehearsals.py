"""Rehearsals: two real steps of a recipe, and what they took."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import orchestrator.domain.base

revision = "0009_rehearsals"
down_revision = "0008_adapters"
branch_labels = None
depends_on = None

_TEXT = sqlmodel.sql.sqltypes.AutoString
_TIME = orchestrator.domain.base.UtcDateTime


def upgrade() -> None:
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("shape", _TEXT(length=64), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "running", "done", "failed", name="rehearsalstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("device", _TEXT(length=64), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("error", _TEXT(length=1000), nullable=False),
        sa.Column("created_at", _TIME(timezone=True), nullable=False),
        sa.Column("finished_at", _TIME(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_rehearsals_owner_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_rehearsals_dataset_id_datasets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["video_models.id"], name=op.f("fk_rehearsals_model_id_video_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsals")),
        sqlite_autoincrement=True,
    )
    for name in ("owner_id", "dataset_id", "model_id", "shape"):
        op.create_index(op.f(f"ix_rehearsals_{name}"), "rehearsals", [name])


def downgrade() -> None:
    op.drop_table("rehearsals")
