"""Cloud credentials and Hub tokens: stored sealed, listed by name and hint, lent only to what fetches."""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.credentials import Credential, CredentialKind
from orchestrator.domain.errors import Conflict, Invalid, NotFound
from orchestrator.domain.users import Actor
from orchestrator.services.url_safety import http_problem
from orchestrator.services.vault import seal, unseal

_ACCOUNT = ("type", "project_id", "private_key_id", "private_key", "client_email", "client_id", "token_uri")
_ACCOUNT_NAME = re.compile(r"^[a-z0-9]{3,24}$")
_MOST = 50


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential as people see it: everything but the secret."""

    id: int
    kind: str
    name: str
    hint: str
    created_at: datetime
    used_at: datetime | None


def list_credentials(session: Session, actor: Actor) -> list[CredentialRow]:
    """The actor's own, by name."""
    found = select(Credential).where(Credential.owner_id == actor.user_id).order_by(col(Credential.name))
    return [_row(credential) for credential in session.exec(found)]


def save_credential(session: Session, actor: Actor, kind: str, name: str, values: dict[str, Any]) -> CredentialRow:
    """Seals and keeps a new credential.

    Args:
        kind: s3 (`access_key`, `secret_key`, and for other stores `endpoint`, `region`) or gs (`service_account`: the
            key file's JSON) or az (`account`, and `account_key` or `sas_token`; `endpoint` for other stores) or hub
            (`token`).

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    name = name.strip()
    if kind not in list(CredentialKind):
        raise Invalid(f"Choose one of: {', '.join(CredentialKind)}.", "kind")
    problems = (
        [] if 1 <= len(name) <= 80 else [("credential_name", "Give the credentials a name of 1 to 80 characters.")]
    )
    kept, hint, more = _READERS[CredentialKind(kind)](values)
    if problems := problems + more:
        raise Invalid(problems[0][1], problems[0][0], problems)
    own = list_credentials(session, actor)
    if any(row.name == name for row in own):
        raise Conflict(f"You already have credentials named {name}. Choose another name.", "credential_name")
    if len(own) >= _MOST:
        raise Conflict(f"You have {_MOST} credentials. Delete one first.", "credential_name")
    credential = Credential(owner_id=actor.user_id, kind=CredentialKind(kind), name=name, sealed=seal(kept), hint=hint)
    session.add(credential)
    session.flush()
    return _row(credential)


def replace_credential(session: Session, actor: Actor, credential_id: int, values: dict[str, Any]) -> CredentialRow:
    """New secret values under the same name: what refers to it uses them from now on.

    Raises:
        Invalid: `problems` by field. NotFound.
    """
    credential = owned_credential(session, actor.user_id, credential_id)
    kept, hint, problems = _READERS[credential.kind](values)
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    credential.sealed, credential.hint, credential.used_at = seal(kept), hint, None
    session.add(credential)
    session.flush()
    return _row(credential)


def save_token(session: Session, actor: Actor, name: str, token: str) -> CredentialRow:
    """A Hub token; one of the same name is replaced.

    Raises:
        Invalid: `problems` by field. Conflict: the name is that of other credentials.
    """
    same = next((row for row in list_credentials(session, actor) if row.name == name.strip()), None)
    if same is not None and same.kind == CredentialKind.HUB:
        return replace_credential(session, actor, same.id, {"token": token})
    return save_credential(session, actor, CredentialKind.HUB.value, name, {"token": token})


def delete_credential(session: Session, actor: Actor, credential_id: int) -> None:
    """Forgets a credential; datasets that came with it stay."""
    session.delete(owned_credential(session, actor.user_id, credential_id))
    session.flush()


def owned_credential(session: Session, owner_id: int, credential_id: int) -> Credential:
    """The stored credential of this owner.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    credential = session.get(Credential, credential_id)
    if credential is None or credential.owner_id != owner_id:
        raise NotFound("These credentials do not exist any more. Choose others.")
    return credential


def opened(session: Session, owner_id: int, credential_id: int) -> dict[str, Any]:
    """The secret values, for the worker; never for a page or an answer."""
    credential = owned_credential(session, owner_id, credential_id)
    values = unseal(credential.sealed)
    credential.used_at = utcnow()
    session.add(credential)
    session.flush()
    return values


def _s3(values: dict[str, Any]) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    keys = ("access_key", "secret_key", "endpoint", "region")
    kept = {key: str(values.get(key) or "").strip()[:500] for key in keys}
    problems = []
    if not kept["access_key"]:
        problems.append(("access_key", "Enter the access key's id."))
    if not kept["secret_key"]:
        problems.append(("secret_key", "Enter the secret key."))
    if kept["endpoint"] and (problem := http_problem(kept["endpoint"])):
        problems.append(("endpoint", problem))
    shown = f"{kept['access_key'][:4]}…{kept['access_key'][-2:]}" if len(kept["access_key"]) > 8 else "access key"
    return {key: value for key, value in kept.items() if value}, shown, problems


def _gs(values: dict[str, Any]) -> tuple[dict[str, Any], str, list[tuple[str, str]]]:
    text = values.get("service_account")
    try:
        account = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        account = None
    # Other types of key file can name files and programs of this machine.
    if not isinstance(account, dict) or account.get("type") != "service_account" or not account.get("private_key"):
        sentence = "Paste the whole JSON key file of a service account (its type is service_account)."
        return {}, "", [("service_account", sentence)]
    kept = {key: str(account[key]) for key in _ACCOUNT if key in account}
    return {"service_account": kept}, str(account.get("client_email", ""))[:120], []


def _az(values: dict[str, Any]) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    keys = ("account", "account_key", "sas_token", "endpoint")
    kept = {key: str(values.get(key) or "").strip()[:2_000] for key in keys}
    kept["sas_token"] = kept["sas_token"].removeprefix("?")
    problems = []
    if not _ACCOUNT_NAME.match(kept["account"]):
        problems.append(("account", "Enter the storage account's name: 3 to 24 small letters and digits."))
    if not kept["account_key"] and not kept["sas_token"]:
        problems.append(("account_key", "Enter the account's key, or a shared access signature instead."))
    elif kept["account_key"] and not _is_base64(kept["account_key"]):
        problems.append(("account_key", "This is not an account key. Copy it whole from the account's access keys."))
    elif kept["sas_token"] and ("sig=" not in kept["sas_token"] or not kept["sas_token"].isprintable()):
        problems.append(("sas_token", "This is not a shared access signature. It holds sv=, sp= and sig=."))
    if kept["endpoint"] and (problem := http_problem(kept["endpoint"])):
        problems.append(("endpoint", problem))
    return {key: value for key, value in kept.items() if value}, kept["account"][:24], problems


def azure_account(host: str) -> str:
    """The account that an address names, alone or as the host of a store at Azure; "" when it is neither."""
    name, dot, rest = host.lower().partition(".")
    known = not dot or rest in ("blob.core.windows.net", "dfs.core.windows.net")
    return name if known and _ACCOUNT_NAME.match(name) else ""


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _hub(values: dict[str, Any]) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    token = str(values.get("token") or "").strip()
    if not token or len(token) > 400 or not token.isprintable() or " " in token:
        return {}, "", [("token", "Enter a Hub token. It begins with hf_ and may only need to read.")]
    return {"token": token}, f"{token[:5]}…{token[-2:]}" if len(token) > 12 else "token", []


_READERS = {CredentialKind.S3: _s3, CredentialKind.GS: _gs, CredentialKind.AZ: _az, CredentialKind.HUB: _hub}


def _row(credential: Credential) -> CredentialRow:
    assert credential.id is not None
    kind, name, hint = credential.kind.value, credential.name, credential.hint
    return CredentialRow(credential.id, kind, name, hint, credential.created_at, credential.used_at)
