"""Where a dataset's bytes come from: the browser, a web address, a bucket; and fetching again or calling it off."""

from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.base import utcnow
from orchestrator.domain.credentials import CredentialKind
from orchestrator.domain.datasets import FETCHING, Dataset, DatasetStatus, Upload
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.users import Actor
from orchestrator.services.access import owned_credential, owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.credentials import azure_account, save_credential
from orchestrator.services.datasets.catalog import create_dataset, has_files
from orchestrator.services.datasets.files import remove_unpacked
from orchestrator.services.datasets.ingest.review import settled
from orchestrator.services.datasets.ingest.uploads import discard_arriving, refuse_while_read
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.hub import hub_credential, hub_problems
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.services.uploads.part_file import upload_path
from orchestrator.services.url_safety import http_problem

FETCHED = ("url", "cloud", "hub")
_SCHEMES = {
    "s3": CredentialKind.S3,
    "gs": CredentialKind.GS,
    "gcs": CredentialKind.GS,
    "az": CredentialKind.AZ,
    "abfs": CredentialKind.AZ,
    "abfss": CredentialKind.AZ,
}
SECRETS = (
    "access_key",
    "secret_key",
    "endpoint",
    "region",
    "service_account",
    "account",
    "account_key",
    "sas_token",
)
"""What a person may type as the key to a bucket."""


def parse_source(session: Session, actor: Actor, source: dict[str, Any] | None) -> dict[str, Any]:
    """What is kept of a wished source; new credentials in it are sealed and replaced by their id.

    Raises:
        Invalid: `problems` by field.
    """
    source = source or {"type": "upload"}
    # Only the plain wish: what was understood shall be accepted by somebody first.
    asks = {"review": True} if source.get("review") is True else {}
    return _parsed(session, actor, source) | asks


def _parsed(session: Session, actor: Actor, source: dict[str, Any]) -> dict[str, Any]:
    kind = source.get("type", "upload")
    if kind == "upload":
        return {"type": "upload"}
    if kind == "url":
        url = str(source.get("url") or "").strip()
        if problem := http_problem(url):
            raise Invalid(problem, "url")
        return {"type": "url", "url": url}
    if kind == "cloud":
        return _cloud(session, actor, source)
    if kind == "hub":
        return _hub(session, actor, source)
    raise Invalid("Choose where the clips come from: upload, url, cloud or hub.", "source")


def _hub(session: Session, actor: Actor, source: dict[str, Any]) -> dict[str, Any]:
    """A dataset of the Hugging Face Hub; a new token in it is sealed and kept for the next one."""
    repo, revision, token = (str(source.get(key) or "").strip() for key in ("repo", "revision", "token"))
    if problems := hub_problems(repo, revision, token, "dataset"):
        raise Invalid(problems[0][1], problems[0][0], problems)
    kept: dict[str, Any] = {"type": "hub", "kind": "dataset", "repo": repo, "revision": revision}
    if source.get("credential_id"):
        kept["credential_id"] = hub_credential(session, actor, source["credential_id"])
    elif token:
        name = str(source.get("credential_name") or f"Hub token for {repo}")[:80]
        kept["credential_id"] = save_credential(session, actor, "hub", name, {"token": token}).id
    return kept


def _cloud(session: Session, actor: Actor, source: dict[str, Any]) -> dict[str, Any]:
    uri = str(source.get("uri") or "").strip()
    try:
        parts = urlsplit(uri)
    except ValueError:
        parts = urlsplit("")
    scheme = _SCHEMES.get(parts.scheme)
    bucket, _, account = parts.netloc.partition("@")
    strange = bool(account) and (scheme is not CredentialKind.AZ or not azure_account(account))
    if scheme is None or not bucket or strange or len(uri) > 1_000 or not uri.isprintable():
        raise Invalid("Enter an address like s3://bucket/folder, gs://bucket/folder or az://container/folder.", "uri")
    kept: dict[str, Any] = {"type": "cloud", "uri": uri}
    if source.get("credential_id"):
        try:
            credential = owned_credential(session, actor.user_id, int(source["credential_id"]))
        except (TypeError, ValueError):
            raise Invalid("These credentials do not exist. Choose others.", "credential_id") from None
        if credential.kind is not scheme:
            raise Invalid(f"{credential.name} is for {credential.kind}://. Choose others.", "credential_id")
        kept["credential_id"] = credential.id
    elif source.get("new_credentials") or any(source.get(key) for key in SECRETS):
        name = str(source.get("credential_name") or f"{scheme.value}, {parts.netloc}")[:80]
        kept["credential_id"] = save_credential(session, actor, scheme.value, name, source).id
    elif scheme is CredentialKind.AZ and not account:
        sentence = "Say whose container it is, az://container@account/folder, or choose credentials for it."
        raise Invalid(sentence, "uri")
    return kept


def add_dataset(
    session: Session, actor: Actor, name: str, description: str, task: str, source: dict[str, Any] | None
) -> DatasetRow:
    """A new dataset: a draft that waits for uploads, or one that a worker fetches at once.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    parsed: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []  # all at once, not one a press
    try:
        parsed = parse_source(session, actor, source)
    except Invalid as error:
        problems = error.problems
    try:
        row = create_dataset(session, actor, name, description, task)
    except Invalid as error:
        raise Invalid(error.message, error.field, [*error.problems, *problems]) from error
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)
    dataset = owned_dataset(session, actor, row.id)
    dataset.source = parsed
    if dataset.source["type"] in FETCHED:
        begin_fetch(session, dataset)
    session.add(dataset)
    session.flush()
    return dataset_row(dataset)


def begin_fetch(session: Session, dataset: Dataset) -> None:
    """A worker shall fetch what the dataset's source names; the caller has flushed the dataset."""
    dataset.status, dataset.stage, dataset.error = DatasetStatus.PROCESSING, FETCHING, ""
    dataset.progress_done = dataset.progress_total = 0
    dataset.updated_at = utcnow()
    session.add(dataset)
    session.flush()
    dataset_id = dataset.id or 0
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, dataset_id=dataset_id))


def request_fetch(
    session: Session, actor: Actor, dataset_id: int, source: dict[str, Any] | None = None, credential_id: int = 0
) -> DatasetRow:
    """Fetches more clips into a dataset, or once more what failed (no `source`).

    Args:
        credential_id: a stored Hub token, for once more what came from the Hub.

    Raises:
        Conflict: the demo, being read now, or nothing to fetch. Invalid. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    refuse_while_read(dataset)
    if source is not None:
        dataset.source = parse_source(session, actor, source)
    if dataset.source.get("type") not in FETCHED:
        raise Conflict("This dataset was uploaded. Add the files again.")
    if credential_id and dataset.source["type"] != "hub":
        raise Invalid("Only what comes from the Hub takes a Hub token.", "credential_id")
    if credential_id:
        dataset.source = {**dataset.source, "credential_id": hub_credential(session, actor, credential_id)}
    discard_arriving(session, actor, dataset_id)  # what waited for a correction
    begin_fetch(session, dataset)
    return dataset_row(dataset)


def cancel_reading(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """Calls off fetching or reading; the worker notices within a second. What was there before stays.

    Raises:
        Conflict: nothing is under way. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.status is not DatasetStatus.PROCESSING or dataset.is_demo:
        raise Conflict("Nothing is being read here. It may have just finished.")
    back = DatasetStatus.READY if has_files(session, dataset_id) else DatasetStatus.DRAFT
    move = update(Dataset).where(col(Dataset.id) == dataset_id, col(Dataset.status) == DatasetStatus.PROCESSING)
    layout = settled(dataset.layout)
    if not session.exec(move.values(status=back, stage="", error="", layout=layout, updated_at=utcnow())).rowcount:
        raise Conflict("It has just finished.")
    uploads = session.exec(select(Upload).where(Upload.dataset_id == dataset_id)).all()
    for upload in uploads:
        session.delete(upload)
    session.flush()
    session.refresh(dataset)
    ids = [upload.id for upload in uploads]
    after_commit(session, lambda: [upload_path(upload_id).unlink(missing_ok=True) for upload_id in ids])
    after_commit(session, lambda: remove_unpacked(dataset_id))
    return dataset_row(dataset)
