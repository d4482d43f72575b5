"""Cloud credentials and Hub tokens: stored encrypted, listed by name and hint, decrypted only to fetch or to push."""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import structlog
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.credentials import CREDENTIAL_VALUES, Credential, CredentialKind
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.json_schemas import OneOf
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_credential
from orchestrator.services.audit.recording import record
from orchestrator.services.url_safety import http_problem
from orchestrator.services.vault import seal, unseal

_ACCOUNT_KEYS = (
    "type",
    "project_id",
    "private_key_id",
    "private_key",
    "client_email",
    "client_id",
    "token_uri",
)
_ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
log = structlog.get_logger(__name__)
MAX_CREDENTIALS = 50


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential without its secret."""

    id: int
    kind: Annotated[str, OneOf(CredentialKind)]
    name: str
    hint: str
    created_at: datetime
    used_at: datetime | None


def list_credentials(session: Session, actor: Actor) -> list[CredentialRow]:
    """The actor's credentials, by name."""
    statement = select(Credential).where(Credential.owner_id == actor.user_id).order_by(col(Credential.name))
    return [_row(credential) for credential in session.exec(statement)]


def save_credential(session: Session, actor: Actor, kind: str, name: str, values: dict[str, Any]) -> CredentialRow:
    """Encrypts and stores a new credential.

    Args:
        kind: decides what `values` holds. s3: `access_key`, `secret_key`, and for stores other than AWS `endpoint` and
            `region`. gs: `service_account`, the key file's JSON. az: `account`, and `account_key` or `sas_token`;
            `endpoint` for stores other than Azure. hub: `token`.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken, or there are too many.
    """
    name = name.strip()
    if kind not in list(CredentialKind):
        raise Invalid(f"Choose one of: {', '.join(CredentialKind)}.", "kind")
    problems = (
        [] if 1 <= len(name) <= 80 else [("credential_name", "Give the credentials a name of 1 to 80 characters.")]
    )
    secret, hint, more = _parsed(CredentialKind(kind), values)
    if problems := problems + more:
        raise Invalid(problems[0][1], problems[0][0], problems)
    own = list_credentials(session, actor)
    if any(row.name == name for row in own):
        raise Conflict(f"You already have credentials named {name}. Choose another name.", "credential_name")
    if len(own) >= MAX_CREDENTIALS:
        raise Conflict(f"You have {MAX_CREDENTIALS} credentials. Delete one first.", "credential_name")
    credential = Credential(
        owner_id=actor.user_id, kind=CredentialKind(kind), name=name, sealed=seal(secret), hint=hint
    )
    session.add(credential)
    session.flush()
    record(session, actor, Act.CREDENTIAL_STORED, credential.id, name, after={"kind": kind})
    log.info("credential.stored", account=actor.user_id, number=credential.id, kind=credential.kind.value)
    return _row(credential)


def replace_credential(session: Session, actor: Actor, credential_id: int, values: dict[str, Any]) -> CredentialRow:
    """Replaces the secret under the same name; datasets and models that refer to it use the new one from now on.

    Raises:
        Invalid: `problems` by field. NotFound.
    """
    credential = owned_credential(session, actor.user_id, credential_id)
    secret, hint, problems = _parsed(credential.kind, values)
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    credential.sealed, credential.hint, credential.used_at = seal(secret), hint, None
    session.add(credential)
    session.flush()
    record(session, actor, Act.CREDENTIAL_REPLACED, credential.id, credential.name)
    log.info("credential.stored", account=actor.user_id, number=credential.id, kind=credential.kind.value)
    return _row(credential)


def save_token(session: Session, actor: Actor, name: str, token: str) -> CredentialRow:
    """Stores a Hub token; one of the same name is replaced.

    Raises:
        Invalid: `problems` by field. Conflict: credentials of another kind have this name.
    """
    existing = next((row for row in list_credentials(session, actor) if row.name == name.strip()), None)
    if existing is not None and existing.kind == CredentialKind.HUB:
        return replace_credential(session, actor, existing.id, {"token": token})
    return save_credential(session, actor, CredentialKind.HUB.value, name, {"token": token})


def delete_credential(session: Session, actor: Actor, credential_id: int) -> None:
    """Deletes a credential; datasets that were fetched with it stay."""
    credential = owned_credential(session, actor.user_id, credential_id)
    session.delete(credential)
    session.flush()
    record(session, actor, Act.CREDENTIAL_DELETED, credential_id, credential.name)
    log.info("credential.deleted", account=actor.user_id, number=credential_id)


def credential_secret(session: Session, owner_id: int, credential_id: int) -> dict[str, Any]:
    """The decrypted values, for workers and questions to the Hub; they must reach no page and no REST answer."""
    credential = owned_credential(session, owner_id, credential_id)
    values = unseal(credential.sealed)
    credential.used_at = utcnow()
    session.add(credential)
    session.flush()
    return values


_Parsed = tuple[dict[str, Any], str, list[tuple[str, str]]]
"""(the values to encrypt, the hint that is shown, problems by field)."""


def _parsed(kind: CredentialKind, values: dict[str, Any]) -> _Parsed:
    """The values of this kind; those of another type than text are refused, not taken for their digits."""
    fields = CREDENTIAL_VALUES[kind].__annotations__
    problems = [
        (name, f"{name} must be a text.")
        for name in fields
        if not isinstance(values.get(name), str | None) and name != "service_account"
    ]
    return ({}, "", problems) if problems else _PARSERS[kind](values)


def _s3(values: dict[str, Any]) -> _Parsed:
    keys = ("access_key", "secret_key", "endpoint", "region")
    fields = {key: str(values.get(key) or "").strip()[:500] for key in keys}
    problems = []
    if not fields["access_key"]:
        problems.append(("access_key", "Enter the access key's id."))
    if not fields["secret_key"]:
        problems.append(("secret_key", "Enter the secret key."))
    if fields["endpoint"] and (problem := http_problem(fields["endpoint"])):
        problems.append(("endpoint", problem))
    hint = f"{fields['access_key'][:4]}…{fields['access_key'][-2:]}" if len(fields["access_key"]) > 8 else "access key"
    return {key: value for key, value in fields.items() if value}, hint, problems


def _gs(values: dict[str, Any]) -> _Parsed:
    text = values.get("service_account")
    try:
        account = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        account = None
    # Key files of other types can name files and programs of this machine.
    if not isinstance(account, dict) or account.get("type") != "service_account" or not account.get("private_key"):
        sentence = "Paste the complete JSON key file of a service account (its type is service_account)."
        return {}, "", [("service_account", sentence)]
    fields = {key: str(account[key]) for key in _ACCOUNT_KEYS if key in account}
    return {"service_account": fields}, str(account.get("client_email", ""))[:120], []


def _az(values: dict[str, Any]) -> _Parsed:
    keys = ("account", "account_key", "sas_token", "endpoint")
    fields = {key: str(values.get(key) or "").strip()[:2_000] for key in keys}
    fields["sas_token"] = fields["sas_token"].removeprefix("?")
    problems = []
    if not _ACCOUNT_NAME.fullmatch(fields["account"]):
        problems.append(("account", "Enter the storage account's name: 3 to 24 lower-case letters and digits."))
    if not fields["account_key"] and not fields["sas_token"]:
        problems.append(("account_key", "Enter the account's key, or a shared access signature instead."))
    elif fields["account_key"] and not _is_base64(fields["account_key"]):
        problems.append(("account_key", "This is not an account key. Copy all of it from the account's access keys."))
    elif fields["sas_token"] and ("sig=" not in fields["sas_token"] or not fields["sas_token"].isprintable()):
        problems.append(("sas_token", "This is not a shared access signature. It holds sv=, sp= and sig=."))
    if fields["endpoint"] and (problem := http_problem(fields["endpoint"])):
        problems.append(("endpoint", problem))
    return {key: value for key, value in fields.items() if value}, fields["account"][:24], problems


def azure_account(host: str) -> str:
    """The storage account in an address: its name alone, or the host of an Azure store; "" when it is neither."""
    name, dot, rest = host.lower().partition(".")
    is_azure = not dot or rest in ("blob.core.windows.net", "dfs.core.windows.net")
    return name if is_azure and _ACCOUNT_NAME.fullmatch(name) else ""


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _hub(values: dict[str, Any]) -> _Parsed:
    token = str(values.get("token") or "").strip()
    if not token or len(token) > 400 or not token.isprintable() or " " in token:
        return {}, "", [("token", "Enter a Hub token. It begins with hf_ and may only need to read.")]
    return {"token": token}, f"{token[:5]}…{token[-2:]}" if len(token) > 12 else "token", []


_PARSERS = {CredentialKind.S3: _s3, CredentialKind.GS: _gs, CredentialKind.AZ: _az, CredentialKind.HUB: _hub}


def _row(credential: Credential) -> CredentialRow:
    assert credential.id is not None
    kind, name, hint = credential.kind.value, credential.name, credential.hint
    return CredentialRow(credential.id, kind, name, hint, credential.created_at, credential.used_at)
