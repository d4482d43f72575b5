"""How a dataset was read, the question of a clip, and what its pictures look like."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002_layouts"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("layout", sa.JSON(), nullable=False, server_default="{}"))
    text = sqlmodel.sql.sqltypes.AutoString
    with op.batch_alter_table("clips", schema=None) as batch_op:
        batch_op.add_column(sa.Column("prompt", text(length=2000), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("perceptual_hash", text(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    # Not in batch mode: rebuilding `datasets` on SQLite would take the clips along.
    op.drop_column("clips", "perceptual_hash")
    op.drop_column("clips", "prompt")
    op.drop_column("datasets", "layout")
