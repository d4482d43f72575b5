"""Annotations that one label, caption or question cannot hold, and clips that are a span of a film."""

import json

import sqlalchemy as sa
from alembic import op

from orchestrator.domain.annotations_column import AnnotationsColumn

revision = "0018_annotations"
down_revision = "0017_attempts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("clips") as clips:
        clips.add_column(sa.Column("annotations", AnnotationsColumn(), nullable=False, server_default=""))
        clips.add_column(sa.Column("start_s", sa.Float(), nullable=True))
        clips.add_column(sa.Column("end_s", sa.Float(), nullable=True))
        clips.add_column(sa.Column("film_s", sa.Float(), nullable=False, server_default="0"))
    op.execute("UPDATE clips SET film_s = duration_s")
    _lines_become_captions()


def downgrade() -> None:
    """Spans and lists go: the columns before hold the first of each, captions one a line."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, annotations FROM clips WHERE annotations <> ''")).all()
    for number, text in rows:
        if captions := json.loads(text).get("captions"):
            connection.execute(_WRITE_CAPTION, {"id": number, "caption": "\n".join(captions)[:4_000]})
    connection.execute(sa.text("DELETE FROM clips WHERE start_s IS NOT NULL"))
    with op.batch_alter_table("clips") as clips:
        for name in ("film_s", "end_s", "start_s", "annotations"):
            clips.drop_column(name)


_WRITE_CAPTION = sa.text("UPDATE clips SET caption = :caption WHERE id = :id")


def _lines_become_captions() -> None:
    """Until now each line of a caption without a question was a caption of its own."""
    connection = op.get_bind()
    several = sa.text("SELECT id, label, caption FROM clips WHERE prompt = '' AND caption LIKE :line_end")
    for number, label, caption in connection.execute(several, {"line_end": "%\n%"}).all():
        captions = [line.strip() for line in caption.split("\n") if line.strip()]
        content = ({"labels": [label]} if label else {}) | {"captions": captions}
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")) if len(captions) > 1 else ""
        connection.execute(
            sa.text("UPDATE clips SET caption = :caption, annotations = :text WHERE id = :id"),
            {"id": number, "caption": captions[0] if captions else "", "text": text},
        )
