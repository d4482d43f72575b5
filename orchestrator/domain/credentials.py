"""The table of credentials: keys of cloud storage and Hub tokens, stored encrypted, each with one owner."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow


class CredentialKind(StrEnum):
    """s3: an access key and its secret; gs: the key file of a service account; az: the name of an account with its key
    or a shared access signature; hub: a Hugging Face token."""

    S3 = "s3"
    GS = "gs"
    AZ = "az"
    HUB = "hub"


class Credential(SQLModel, table=True):
    """`sealed`: the values, encrypted with the installation's secret key; `hint`: enough of them to tell keys apart."""

    __tablename__ = "credentials"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    kind: CredentialKind = Field(sa_type=text_enum(CredentialKind))  # type: ignore[arg-type]
    name: str = Field(max_length=80)
    sealed: str = Field(sa_column=Column(Text, nullable=False))
    hint: str = Field(default="", max_length=120)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)  # type: ignore[arg-type]
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # type: ignore[arg-type]
    """When it was last decrypted, for a worker or a request to the Hub."""
