"""Webhook secrets are stored encrypted, like all other secrets; those that stand there in clear are encrypted."""

import sqlalchemy as sa
from alembic import op

from orchestrator.domain.errors import Conflict
from orchestrator.services.vault import WEBHOOKS, seal, unseal

revision = "0014_sealed_webhooks"
down_revision = "0013_request_hashes"
branch_labels = None
depends_on = None

_wishes = sa.table("notice_wishes", sa.column("user_id"), sa.column("webhook_secret"))


def upgrade() -> None:
    with op.batch_alter_table("notice_wishes") as batch:
        batch.alter_column("webhook_secret", type_=sa.Text(), existing_type=sa.String(80), existing_nullable=False)
    for user_id, secret in _stored():
        _store(user_id, seal({"secret": secret}, WEBHOOKS))


def downgrade() -> None:
    for user_id, sealed in _stored():
        try:
            _store(user_id, unseal(sealed, WEBHOOKS)["secret"])
        except Conflict:  # the secret key has changed since: it cannot be read any more
            _store(user_id, "")
    with op.batch_alter_table("notice_wishes") as batch:
        batch.alter_column("webhook_secret", type_=sa.String(80), existing_type=sa.Text(), existing_nullable=False)


def _stored() -> list[tuple[int, str]]:
    query = sa.select(_wishes.c.user_id, _wishes.c.webhook_secret).where(_wishes.c.webhook_secret != "")
    return [(row[0], row[1]) for row in op.get_bind().execute(query).all()]


def _store(user_id: int, value: str) -> None:
    op.execute(_wishes.update().where(_wishes.c.user_id == user_id).values(webhook_secret=value))
