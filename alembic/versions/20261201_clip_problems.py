"""Why a clip is left out becomes a word; what is stored already is read once from its sentence."""

import sqlalchemy as sa
from alembic import op

revision = "0012_clip_problems"
down_revision = "0011_failures"
branch_labels = None
depends_on = None

_KINDS = ("duplicate", "damaged", "not_a_video", "not_uploaded", "not_annotated")


def upgrade() -> None:
    kind = sa.Enum(*_KINDS, name="clipproblem", native_enum=False, length=32)
    op.add_column("clips", sa.Column("problem_kind", kind, nullable=True))
    names = ("status", "problem", "content_hash", "problem_kind")
    clips = sa.table("clips", *(sa.column(name) for name in names))
    known = sa.case(
        (clips.c.status == "quarantined", "not_annotated"),
        (clips.c.problem.like("Is the same video as %"), "duplicate"),
        (clips.c.problem.like("% was not uploaded."), "not_uploaded"),
        (clips.c.content_hash == "", "not_a_video"),  # only of a video's bytes a sum was made
        else_="damaged",
    )
    op.execute(clips.update().where(clips.c.status != "ok", clips.c.problem != "").values(problem_kind=known))


def downgrade() -> None:
    op.drop_column("clips", "problem_kind")
