"""Why a job failed becomes a word; what is stored already is read once from its sentence."""

import sqlalchemy as sa
from alembic import op

revision = "0011_failures"
down_revision = "0010_credentials"
branch_labels = None
depends_on = None

_KINDS = (
    "out_of_memory",
    "nothing_left_to_divide",
    "out_of_memory_at_start",
    "disk_full",
    "diverged",
    "unreadable_clip",
    "inputs_gone",
    "not_trainable",
    "machine_lost",
    "crash",
)

_SENTENCES = (
    ("%, so the job was not started again.", "machine_lost"),
    ("The memory ran out before the training began.%", "out_of_memory_at_start"),
    ("The memory ran out even with %", "nothing_left_to_divide"),
    ("The memory ran out with %", "out_of_memory"),
    ("The memory of one of the % GPUs ran out.%", "out_of_memory"),
    ("The training ran out of memory.%", "out_of_memory"),
    ("The machine ran out of memory and ended the training.%", "out_of_memory"),
    ("The disk is full.%", "disk_full"),
    ("The loss was no longer a number at step %", "diverged"),
    ("The dataset of this job was deleted before it started.", "inputs_gone"),
    ("The base model of this job is not there any more.", "inputs_gone"),
    ("The training broke off: %", "crash"),
    ("The training failed: %", "crash"),
    ("The training ended with%", "crash"),
    ("The training process crashed with signal %", "crash"),
    ("The job's folder could not be written: %", "crash"),
    ("% Upload it again%", "unreadable_clip"),
    ("% upload it again.", "unreadable_clip"),
    ("% is no longer there. Add it to the dataset again.", "unreadable_clip"),
)
"""How the sentences of version 0.1 began, in the order in which they are tried; any other refused the recipe."""


def upgrade() -> None:
    kind = sa.Enum(*_KINDS, name="failurekind", native_enum=False, length=32)
    op.add_column("training_jobs", sa.Column("failure", kind, nullable=True))
    jobs = sa.table("training_jobs", sa.column("status"), sa.column("error"), sa.column("failure"))
    known = sa.case(*((jobs.c.error.like(said), word) for said, word in _SENTENCES), else_="not_trainable")
    op.execute(jobs.update().where(jobs.c.status == "failed").values(failure=known))


def downgrade() -> None:
    op.drop_column("training_jobs", "failure")
