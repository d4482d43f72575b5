"""The machine that a job asks for, what each worker brings, and the box between them."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0007_machines"
down_revision = "0006_models"
branch_labels = None
depends_on = None

_TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    with op.batch_alter_table("training_jobs") as table:
        table.add_column(sa.Column("needs", _TEXT(length=32), nullable=False, server_default="any"))
        table.add_column(sa.Column("box", _TEXT(length=32), nullable=False, server_default=""))
    with op.batch_alter_table("workers") as table:
        table.add_column(sa.Column("box", _TEXT(length=32), nullable=False, server_default=""))
        table.add_column(sa.Column("gpus", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("workers") as table:
        table.drop_column("gpus")
        table.drop_column("box")
    # SQLite copies the table, and an id of a deleted job must never come back.
    with op.batch_alter_table("training_jobs", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("box")
        table.drop_column("needs")
