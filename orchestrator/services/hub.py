"""The Hugging Face Hub as people name it: ids, revisions, tokens; and how large something is before it is fetched."""

import json
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from orchestrator.domain.credentials import CredentialKind
from orchestrator.domain.errors import Invalid, Unavailable
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.access import owned_credential
from orchestrator.services.credentials import credential_secret
from orchestrator.services.fetching import fetch_request
from orchestrator.services.sandbox import Tool
from orchestrator.settings import get_settings

HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9_./-]{1,100}")
_SPARE_BYTES = 512 * 2**20
"""Left free on the disk for the database and the runs."""
_TURNS = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class HubSize:
    """What would be fetched: `files` of together `bytes`, all of the commit `revision`.

    `room`: the most bytes that can be fetched here now.
    """

    repo: str
    revision: str
    files: int
    bytes: int
    room: int = 0


def hub_problems(repo: str, revision: str, token: str = "", what: str = "model") -> list[tuple[str, str]]:
    """(field, sentence) of what cannot be meant."""
    problems: list[tuple[str, str]] = []
    if not HUB_ID.fullmatch(repo.strip()) or ".." in repo:
        problems.append(("repo", f"Enter an id like owner/name, as it stands at the top of the {what}'s page."))
    if revision.strip() and (not _REVISION.fullmatch(revision.strip()) or ".." in revision):
        problems.append(("revision", "Enter a branch, a tag or a commit, or leave it empty."))
    if len(token) > 400 or not token.isprintable():
        problems.append(("token", "This is not a Hub token. It begins with hf_."))
    return problems


def hub_credential(session: Session, actor: Actor, credential_id: Any) -> int:
    """The id of a stored token of the actor's.

    Raises:
        Invalid: it is for something else. NotFound.
    """
    try:
        number = int(credential_id)
        if not 0 < number < 2**63:
            raise ValueError(number)
        credential = owned_credential(session, actor.user_id, number)
    except (TypeError, ValueError, OverflowError):
        raise Invalid("This token does not exist. Choose another.", "credential_id") from None
    if credential.kind is not CredentialKind.HUB:
        raise Invalid(f"{credential.name} is no Hub token. Choose another.", "credential_id")
    return credential.id or 0


def look_up(
    session: Session,
    actor: Actor,
    kind: str,
    repo: str,
    revision: str = "",
    token: str = "",
    credential_id: int = 0,
) -> HubSize:
    """Asks the Hub, from a process that knows nothing else, how large a dataset or model is.

    Raises:
        Invalid: `problems` by field, or the Hub's refusal in words. NotFound. Unavailable: too many are asking.
    """
    if problems := hub_problems(repo, revision, token, kind):
        raise Invalid(problems[0][1], problems[0][0], problems)
    secrets: dict[str, Any] = {"token": token.strip()} if token.strip() else {}
    if credential_id:
        secrets = credential_secret(session, actor.user_id, hub_credential(session, actor, credential_id))
    source = {"type": "hub-size", "kind": kind, "repo": repo.strip(), "revision": revision.strip()}
    if not _TURNS.acquire(timeout=10):
        raise Unavailable("The Hub is being asked by others. Try again in a moment.")
    try:
        told = _ask(source, secrets)
    finally:
        _TURNS.release()
    if "found" not in told:
        raise Invalid(str(told.get("problem") or "The Hub does not answer in time. Try again later."), "repo")
    return HubSize(repo.strip(), room=_room(kind), **told["found"])


def _room(kind: str) -> int:
    """A dataset may be as large as an upload; a model as the disk allows."""
    settings = get_settings()
    free = max(0, shutil.disk_usage(settings.data_dir).free - _SPARE_BYTES)
    return free if kind == "model" else min(free, settings.max_upload_bytes)


def _ask(source: dict[str, Any], secrets: dict[str, Any]) -> dict[str, Any]:
    """All that the process answered, in one dict; {} when it took too long."""
    with tempfile.TemporaryDirectory(prefix="hub-") as home:
        request = fetch_request(source, secrets, Path(home))
        try:
            done = sandbox.run(Tool.FETCH, request=request.pack(), home=Path(home))
        except sandbox.TimeLimitReached:
            return {}
    answer: dict[str, Any] = {}
    for line in done.output.splitlines():
        answer |= json.loads(line)
    return answer
