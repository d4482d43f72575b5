"""Adapters: versions of what jobs leave, in named lines, and the work done on them afterwards."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import orchestrator.domain.base

revision = "0008_adapters"
down_revision = "0007_machines"
branch_labels = None
depends_on = None

_TEXT = sqlmodel.sql.sqltypes.AutoString
_TIME = orchestrator.domain.base.UtcDateTime


def upgrade() -> None:
    op.create_table(
        "adapter_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", _TEXT(length=64), nullable=False),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.Column("production_version", sa.Integer(), nullable=True),
        sa.Column("created_at", _TIME(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_adapter_lines_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adapter_lines")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_adapter_lines_owner_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_adapter_lines_owner_id"), "adapter_lines", ["owner_id"])

    op.create_table(
        "adapters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("name", _TEXT(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Enum("adapter", "model", name="resultkind", native_enum=False, length=32), nullable=False),
        sa.Column("task", _TEXT(length=32), nullable=False),
        sa.Column("source_job", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("dataset_name", _TEXT(length=80), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("model_name", _TEXT(length=80), nullable=False),
        sa.Column("model_revision", _TEXT(length=64), nullable=False),
        sa.Column("family", _TEXT(length=64), nullable=False),
        sa.Column("architecture", _TEXT(length=64), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_adapters_dataset_id_datasets"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_adapters_job_id_training_jobs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["adapter_lines.id"], name=op.f("fk_adapters_line_id_adapter_lines"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["video_models.id"], name=op.f("fk_adapters_model_id_video_models"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_adapters_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adapters")),
        sa.UniqueConstraint("line_id", "version", name=op.f("uq_adapters_line_id")),
        sa.UniqueConstraint("source_job", name=op.f("uq_adapters_source_job")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_adapters_dataset_id"), "adapters", ["dataset_id"])
    op.create_index(op.f("ix_adapters_job_id"), "adapters", ["job_id"])
    op.create_index(op.f("ix_adapters_line_id"), "adapters", ["line_id"])
    op.create_index(op.f("ix_adapters_model_id"), "adapters", ["model_id"])
    op.create_index(op.f("ix_adapters_owner_id"), "adapters", ["owner_id"])

    op.create_table(
        "adapter_works",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("adapter_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Enum("merge", "push", name="workkind", native_enum=False, length=32), nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "running", "done", "failed", name="workstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("stage", _TEXT(length=32), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("error", _TEXT(length=1000), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME(timezone=True), nullable=False),
        sa.Column("finished_at", _TIME(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["adapter_id"], ["adapters.id"], name=op.f("fk_adapter_works_adapter_id_adapters"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adapter_works")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_adapter_works_adapter_id"), "adapter_works", ["adapter_id"])
    op.create_index(op.f("ix_adapter_works_status"), "adapter_works", ["status"])


def downgrade() -> None:
    for table in ("adapter_works", "adapters", "adapter_lines"):
        op.drop_table(table)
