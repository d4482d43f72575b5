"""Each opening of the wizard has a draft of its own; the one draft that each user had stays."""

from typing import Any

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from orchestrator.domain.base import UtcDateTime

revision = "0015_wizard_drafts"
down_revision = "0014_sealed_webhooks"
branch_labels = None
depends_on = None

_DRAFTS = sa.table(
    "wizard_drafts",
    sa.column("user_id", sa.Integer()),
    sa.column("values", sa.JSON()),
    sa.column("launch_key", sa.String()),
    sa.column("updated_at", UtcDateTime(timezone=True)),
)


def upgrade() -> None:
    kept = _rows()
    op.drop_table("wizard_drafts")
    op.create_table(
        "wizard_drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        *_columns(),
        sa.Column("tab", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False, server_default=""),
        sa.Column("edit", sa.Integer(), nullable=False, server_default="0"),
        _owner(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wizard_drafts")),
        sa.UniqueConstraint("user_id", "launch_key", name=op.f("uq_wizard_drafts_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_wizard_drafts_user_id"), "wizard_drafts", ["user_id"])
    op.bulk_insert(_DRAFTS, kept)


def downgrade() -> None:
    newest = {row["user_id"]: row for row in _rows()}
    op.drop_table("wizard_drafts")
    op.create_table(
        "wizard_drafts", *_columns(), _owner(), sa.PrimaryKeyConstraint("user_id", name=op.f("pk_wizard_drafts"))
    )
    op.bulk_insert(_DRAFTS, list(newest.values()))


def _rows() -> list[dict[str, Any]]:
    """What is stored, the newest last."""
    query = sa.select(*_DRAFTS.c).order_by(_DRAFTS.c.updated_at)
    return [dict(row._mapping) for row in op.get_bind().execute(query)]


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("launch_key", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
    ]


def _owner() -> sa.ForeignKeyConstraint:
    name = op.f("fk_wizard_drafts_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")
