"""Notices and their delivery, priorities, sweeps, the queue's control, workers that drain."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import orchestrator.domain.base

revision = "0004_queue"
down_revision = "0003_fetched"
branch_labels = None
depends_on = None

_TEXT = sqlmodel.sql.sqltypes.AutoString
_TIME = orchestrator.domain.base.UtcDateTime


def _notices() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", _TEXT(length=32), nullable=False),
        sa.Column("title", _TEXT(length=160), nullable=False),
        sa.Column("body", _TEXT(length=500), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", _TIME(timezone=True), nullable=False),
        sa.Column("read_at", _TIME(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_notifications_job_id_training_jobs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notifications_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notifications_job_id"), "notifications", ["job_id"])
    op.create_index("ix_notifications_user_read", "notifications", ["user_id", "read_at"])
    op.create_table(
        "notice_wishes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("webhook_url", _TEXT(length=500), nullable=False),
        sa.Column("webhook_secret", _TEXT(length=80), nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("kinds", _TEXT(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notice_wishes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_wishes")),
    )
    op.create_table(
        "notice_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.Integer(), nullable=False),
        sa.Column("channel", _TEXT(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", _TIME(timezone=True), nullable=False),
        sa.Column("done_at", _TIME(timezone=True), nullable=True),
        sa.Column("error", _TEXT(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notice_deliveries_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_deliveries")),
    )
    op.create_index("ix_notice_deliveries_due", "notice_deliveries", ["done_at", "next_at"])
    op.create_index(op.f("ix_notice_deliveries_notification_id"), "notice_deliveries", ["notification_id"])


def _queue() -> None:
    op.create_table(
        "queue_controls",
        sa.Column("name", _TEXT(length=32), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("per_user", sa.Integer(), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queue_controls")),
    )
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", _TEXT(length=64), nullable=False),
        sa.Column("grid", sa.JSON(), nullable=False),
        sa.Column("metric", _TEXT(length=48), nullable=False),
        sa.Column("goal", _TEXT(length=3), nullable=False),
        sa.Column("idempotency_key", _TEXT(length=80), nullable=False),
        sa.Column("created_at", _TIME(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_sweeps_owner_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
        sa.UniqueConstraint("owner_id", "idempotency_key", name=op.f("uq_sweeps_owner_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sweeps_owner_id"), "sweeps", ["owner_id"])


def _rollups() -> None:
    op.create_table(
        "metric_rollups",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("series", _TEXT(length=48), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("low_step", sa.Integer(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("high_step", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_metric_rollups_job_id_training_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "series", "bucket", name=op.f("pk_metric_rollups")),
    )
    # The points that are there already: 256 steps a rollup, as domain/metrics.py says.
    op.execute(
        """
        INSERT INTO metric_rollups (job_id, series, bucket, low, low_step, high, high_step, points, seq)
        SELECT g.job_id, g.series, g.bucket, g.low,
            (SELECT MIN(p.step) FROM metric_points p WHERE p.job_id = g.job_id AND p.series = g.series
                AND p.step >= g.bucket * 256 AND p.step < (g.bucket + 1) * 256 AND p.value = g.low),
            g.high,
            (SELECT MIN(p.step) FROM metric_points p WHERE p.job_id = g.job_id AND p.series = g.series
                AND p.step >= g.bucket * 256 AND p.step < (g.bucket + 1) * 256 AND p.value = g.high),
            g.points, g.seq
        FROM (
            SELECT job_id, series, step / 256 AS bucket, MIN(value) AS low, MAX(value) AS high,
                COUNT(*) AS points, MAX(seq) AS seq
            FROM metric_points GROUP BY job_id, series, step / 256
        ) AS g
        """
    )


def upgrade() -> None:
    _rollups()
    _queue()
    with op.batch_alter_table("training_jobs", schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("sent_at", _TIME(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("sweep_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_training_jobs_sweep_id_sweeps"), "sweeps", ["sweep_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(op.f("ix_training_jobs_sweep_id"), ["sweep_id"])
        batch_op.create_index("ix_training_jobs_owner_status", ["owner_id", "status", "finished_at"])
        batch_op.create_index("ix_training_jobs_waiting", ["status", "priority", "owner_id"])
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("draining", sa.Boolean(), nullable=False, server_default=sa.false()))
    _notices()


def downgrade() -> None:
    for table in ("notice_deliveries", "notice_wishes", "notifications", "metric_rollups"):
        op.drop_table(table)
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.drop_column("draining")
    with op.batch_alter_table("training_jobs", schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index("ix_training_jobs_waiting")
        batch_op.drop_index("ix_training_jobs_owner_status")
        batch_op.drop_index(op.f("ix_training_jobs_sweep_id"))
        batch_op.drop_constraint(op.f("fk_training_jobs_sweep_id_sweeps"), type_="foreignkey")
        for column in ("sweep_id", "sent_at", "priority"):
            batch_op.drop_column(column)
    op.drop_table("sweeps")
    op.drop_table("queue_controls")
