"""A rehearsal measures the version of the dataset that its recipe chose."""

import sqlalchemy as sa
from alembic import op

revision = "0019_rehearsal_versions"
down_revision = "0018_annotations"
branch_labels = None
depends_on = None

_NEWEST = "UPDATE rehearsals SET dataset_version = (SELECT version FROM datasets WHERE id = rehearsals.dataset_id)"


def upgrade() -> None:
    with op.batch_alter_table("rehearsals") as table:
        table.add_column(sa.Column("dataset_version", sa.Integer(), nullable=False, server_default="1"))
    op.execute(_NEWEST)
    with op.batch_alter_table("rehearsals") as table:
        table.alter_column("dataset_version", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("rehearsals") as table:
        table.drop_column("dataset_version")
