"""Uploads may belong to a base model."""

import sqlalchemy as sa
from alembic import op

revision = "0006_models"
down_revision = "0005_edits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("uploads") as table:
        table.add_column(sa.Column("model_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_uploads_model_id_video_models"), "video_models", ["model_id"], ["id"], ondelete="CASCADE"
        )
        table.create_index(op.f("ix_uploads_model_id"), ["model_id"])


def downgrade() -> None:
    with op.batch_alter_table("uploads") as table:
        table.drop_index(op.f("ix_uploads_model_id"))
        table.drop_constraint(op.f("fk_uploads_model_id_video_models"), type_="foreignkey")
        table.drop_column("model_id")
