"""Datasets that are fetched: the stage they are in, and sealed cloud credentials."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import orchestrator.domain.base

revision = "0003_fetched"
down_revision = "0002_layouts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "credentials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Enum("s3", "gs", name="credentialkind", native_enum=False, length=32), nullable=False),
        sa.Column("name", text(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("hint", text(length=120), nullable=False),
        sa.Column("created_at", orchestrator.domain.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_credentials_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_credentials_owner_id")),
    )
    op.create_index(op.f("ix_credentials_owner_id"), "credentials", ["owner_id"], unique=False)
    op.add_column("datasets", sa.Column("stage", text(length=16), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("datasets", "stage")
    op.drop_index(op.f("ix_credentials_owner_id"), table_name="credentials")
    op.drop_table("credentials")
