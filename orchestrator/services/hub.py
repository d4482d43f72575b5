"""What users enter for the Hugging Face Hub (ids, revisions, tokens), and the size of a repository before a fetch."""

import json
import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session

from orchestrator.domain.credentials import CredentialKind
from orchestrator.domain.errors import Invalid, Unavailable
from orchestrator.domain.hub_ids import HUB_ID, REVISION
from orchestrator.domain.json_keys import json_key
from orchestrator.domain.numbers import LARGEST_ID, parse_id
from orchestrator.domain.users import Actor
from orchestrator.services import sandbox
from orchestrator.services.access import owned_credential
from orchestrator.services.credentials import credential_secret
from orchestrator.services.fetching import fetch_request
from orchestrator.services.sandbox import Tool
from orchestrator.settings import get_settings

_RESERVED_BYTES = 512 * 2**20
"""Left free on the disk for the database and the runs."""
_SLOTS = threading.BoundedSemaphore(2)
"""Questions to the Hub at once, each in a process of its own."""


@dataclass(frozen=True, slots=True)
class HubSize:
    """What would be fetched of a repository.

    Attributes:
        revision: the commit.
        files, bytes: how many files, and their size together.
        max_bytes: the most that can be fetched here now.
    """

    repo: str
    revision: str
    files: int
    bytes: int
    max_bytes: int = field(default=0, metadata=json_key("room"))


def hub_problems(repo: str, revision: str, token: str = "", kind: str = "model") -> list[tuple[str, str]]:
    """(field, sentence) for each value that is not valid; `kind`: model or dataset."""
    problems: list[tuple[str, str]] = []
    if not HUB_ID.fullmatch(repo.strip()) or ".." in repo:
        problems.append(("repo", f"Enter an id like owner/name, as it stands at the top of the {kind}'s page."))
    if revision.strip() and (not REVISION.fullmatch(revision.strip()) or ".." in revision):
        problems.append(("revision", "Enter a branch, a tag or a commit, or leave it empty."))
    if len(token) > 400 or not token.isprintable():
        problems.append(("token", "This is not a Hub token. It begins with hf_."))
    return problems


def checked_id(value: Any) -> int:
    """An id of a request: a whole number, or its digits as a text.

    Raises:
        ValueError: it is neither, or larger than any id.
    """
    number = parse_id(value) if isinstance(value, str) else value
    if type(number) is not int or not 0 < number <= LARGEST_ID:
        raise ValueError(value)
    return number


def hub_credential(session: Session, actor: Actor, credential_id: Any) -> int:
    """The id of a stored Hub token of the actor.

    Raises:
        Invalid: there is no such credential, or it is not for the Hub.
    """
    try:
        credential = owned_credential(session, actor.user_id, checked_id(credential_id))
    except ValueError:
        raise Invalid("This token does not exist. Choose another.", "credential_id") from None
    if credential.kind is not CredentialKind.HUB:
        raise Invalid(f"{credential.name} is no Hub token. Choose another.", "credential_id")
    return credential.id or 0


def hub_size(
    session: Session,
    actor: Actor,
    kind: str,
    repo: str,
    revision: str = "",
    token: str = "",
    credential_id: int = 0,
) -> HubSize:
    """Asks the Hub for the size of a model or dataset, from a process in the sandbox.

    Args:
        kind: model or dataset.
        token, credential_id: a token for this question, or a stored one.

    Raises:
        Invalid: `problems` by field, or why the Hub refuses. NotFound. Unavailable: too many ask at once.
    """
    if problems := hub_problems(repo, revision, token, kind):
        raise Invalid(problems[0][1], problems[0][0], problems)
    secrets: dict[str, Any] = {"token": token.strip()} if token.strip() else {}
    if credential_id:
        secrets = credential_secret(session, actor.user_id, hub_credential(session, actor, credential_id))
    source = {"type": "hub-size", "kind": kind, "repo": repo.strip(), "revision": revision.strip()}
    if not _SLOTS.acquire(timeout=10):
        raise Unavailable("The Hub is being asked by others. Try again in a moment.")
    try:
        answer = _ask(source, secrets)
    finally:
        _SLOTS.release()
    if "found" not in answer:
        raise Invalid(str(answer.get("problem") or "The Hub does not answer in time. Try again later."), "repo")
    return HubSize(repo.strip(), max_bytes=_max_bytes(kind), **answer["found"])


def _max_bytes(kind: str) -> int:
    """A dataset may be as large as an upload; a model as the disk allows."""
    settings = get_settings()
    free = max(0, shutil.disk_usage(settings.data_dir).free - _RESERVED_BYTES)
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
