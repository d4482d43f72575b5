"""The audit log: its tables, and every act that it records."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, Text, event
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, text_enum

FIRST_HASH = "0" * 64
"""What the first entry of a log has as the hash of the entry before."""
CHAIN_ID = 1
"""The id of the only row of `AuditChain`."""


class Act(StrEnum):
    """What can be done: the noun of the object, a dot, and what was done to it."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    PASSWORD_CHANGED = "account.password_changed"
    PASSWORD_CONFIRMED = "account.password_confirmed"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_ROLE_CHANGED = "account.role_changed"
    RESET_LINK_CREATED = "account.reset_link_created"
    PASSWORD_RESET = "account.password_reset"
    SIGNED_OUT_EVERYWHERE = "account.signed_out_everywhere"
    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    OTHER_SESSIONS_CLOSED = "session.closed_elsewhere"
    TOKEN_CREATED = "token.created"
    TOKEN_DELETED = "token.deleted"
    CREDENTIAL_STORED = "credential.stored"
    CREDENTIAL_REPLACED = "credential.replaced"
    CREDENTIAL_DELETED = "credential.deleted"
    NOTIFICATIONS_CHANGED = "notifications.changed"
    DATASET_CREATED = "dataset.created"
    DATASET_CHANGED = "dataset.changed"
    DATASET_DELETED = "dataset.deleted"
    DATASET_IMPORT_REQUESTED = "dataset.import_requested"
    DATASET_IMPORT_CANCELLED = "dataset.import_cancelled"
    DATASET_EDITED = "dataset.edited"
    MODEL_CREATED = "model.created"
    MODEL_CHANGED = "model.changed"
    MODEL_DELETED = "model.deleted"
    MODEL_IMPORT_REQUESTED = "model.import_requested"
    JOB_LAUNCHED = "job.launched"
    JOB_STOPPED = "job.stopped"
    JOB_RESUMED = "job.resumed"
    JOB_DELETED = "job.deleted"
    JOB_PRIORITY_CHANGED = "job.priority_changed"
    CHECKPOINTS_DELETED = "job.checkpoints_deleted"
    SWEEP_LAUNCHED = "sweep.launched"
    SWEEP_STOPPED = "sweep.stopped"
    ADAPTER_RECORDED = "adapter.recorded"
    ADAPTER_PROMOTED = "adapter.promoted"
    ADAPTER_DEMOTED = "adapter.demoted"
    ADAPTER_DELETED = "adapter.deleted"
    ADAPTER_MERGE_REQUESTED = "adapter.merge_requested"
    ADAPTER_PUSH_REQUESTED = "adapter.push_requested"
    QUEUE_CHANGED = "queue.changed"
    WORKER_DRAINED = "worker.drained"
    WORKER_UNDRAINED = "worker.undrained"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_SHORTENED = "audit.shortened"

    @property
    def noun(self) -> str:
        """The kind of object that the act is done to."""
        return self.value.partition(".")[0]


NOUNS = tuple(dict.fromkeys(act.noun for act in Act))
"""The kinds of objects that acts are done to."""


class Outcome(StrEnum):
    """Whether the act was done. A refusal changed nothing."""

    DONE = "done"
    REFUSED = "refused"


class AuditEntry(SQLModel, table=True):
    """One act. Never changed; entries are deleted only from the old end of the log.

    The names stand here as they were: people and objects may be renamed and deleted. There are no foreign keys for the
    same reason.
    """

    __tablename__ = "audit_entries"

    id: int | None = Field(default=None, primary_key=True, sa_column_kwargs={"autoincrement": False})
    """Numbered without gaps."""
    at: datetime = Field(sa_type=UtcDateTime)  # type: ignore[arg-type]
    """When the transaction of the act was committed."""
    act: str = Field(max_length=48)
    outcome: Outcome = Field(sa_type=text_enum(Outcome))  # type: ignore[arg-type]
    actor_id: int | None = Field(default=None, index=True)
    """The account that acted; None for the studio itself, the command line, and people without an account."""
    actor_name: str = Field(max_length=80)
    behalf_id: int | None = None
    """The account on whose behalf it was done; None where the actor acted for itself."""
    behalf_name: str = Field(default="", max_length=80)
    address: str = Field(default="", max_length=64)
    token: str = Field(default="", max_length=80)
    """The name of the API token that was used; "" for a session."""
    object_kind: str = Field(max_length=32)
    object_id: str = Field(default="", max_length=80)
    object_name: str = Field(default="", max_length=200)
    changes: str = Field(default="{}", sa_type=Text)
    """Canonical JSON: `before` and `after`, each an object of short values."""
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    """SHA-256 of the canonical JSON of all other columns."""


class AuditChain(SQLModel, table=True):
    """The two ends of the log, in one row: its lock lets one transaction at a time add entries."""

    __tablename__ = "audit_chain"

    id: int = Field(default=CHAIN_ID, primary_key=True, sa_column_kwargs={"autoincrement": False})
    first_id: int = 1
    """The oldest entry that is kept."""
    anchor_hash: str = Field(default=FIRST_HASH, max_length=64)
    """The hash of the entry before that one."""
    last_id: int = 0
    last_hash: str = Field(default=FIRST_HASH, max_length=64)


_CHAIN_ROW = (
    f"INSERT INTO audit_chain (id, first_id, anchor_hash, last_id, last_hash) "
    f"VALUES ({CHAIN_ID}, 1, '{FIRST_HASH}', 0, '{FIRST_HASH}')"
)
event.listen(SQLModel.metadata.tables["audit_chain"], "after_create", DDL(_CHAIN_ROW))
