"""The checkpoints that count, taken in for the current attempt of their job, and what each ended attempt left."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import orchestrator.domain.base

revision = "0017_attempts"
down_revision = "0016_confirmed_sessions"
branch_labels = None
depends_on = None

_TIME = orchestrator.domain.base.UtcDateTime


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("path", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", _TIME(timezone=True), nullable=False),
        *_of_job("checkpoints", "attempt", "step"),
    )
    op.create_table(
        "ended_attempts",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=True),
        sa.Column("ended_at", _TIME(timezone=True), nullable=False),
        *_of_job("ended_attempts", "attempt"),
    )


def downgrade() -> None:
    op.drop_table("ended_attempts")
    op.drop_table("checkpoints")


def _of_job(table: str, *key: str) -> tuple[sa.Constraint, sa.Constraint]:
    job = sa.ForeignKeyConstraint(
        ["job_id"], ["training_jobs.id"], name=op.f(f"fk_{table}_job_id_training_jobs"), ondelete="CASCADE"
    )
    return job, sa.PrimaryKeyConstraint("job_id", *key, name=op.f(f"pk_{table}"))
