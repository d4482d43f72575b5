"""The table of credentials: keys of cloud storage and Hub tokens, stored encrypted, each with one owner."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Required

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel
from typing_extensions import TypedDict

from orchestrator.domain.base import UtcDateTime, text_enum, utcnow


class CredentialKind(StrEnum):
    """s3: an access key and its secret; gs: the key file of a service account; az: the name of an account with its key
    or a shared access signature; hub: a Hugging Face token."""

    S3 = "s3"
    GS = "gs"
    AZ = "az"
    HUB = "hub"


class S3Values(TypedDict, total=False):
    """`endpoint` and `region`: for stores other than AWS."""

    access_key: Required[str]
    secret_key: Required[str]
    endpoint: str | None
    region: str | None


class GsValues(TypedDict):
    """The key file of a service account, as its text or its JSON."""

    service_account: str | dict[str, object]


class AzValues(TypedDict, total=False):
    """`account_key` or `sas_token` is needed; `endpoint`: for stores other than Azure."""

    account: Required[str]
    account_key: str | None
    sas_token: str | None
    endpoint: str | None


class HubValues(TypedDict):
    """A token of the Hugging Face Hub."""

    token: str


CREDENTIAL_VALUES: Mapping[CredentialKind, Any] = {
    CredentialKind.S3: S3Values,
    CredentialKind.GS: GsValues,
    CredentialKind.AZ: AzValues,
    CredentialKind.HUB: HubValues,
}
"""What each kind of credentials needs."""
CredentialBody = S3Values | GsValues | AzValues | HubValues


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
