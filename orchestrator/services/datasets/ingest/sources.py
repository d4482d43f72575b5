"""Sources of datasets: browser uploads, web addresses, buckets, the Hub; and starting or cancelling a download."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from orchestrator.domain.audit import Act
from orchestrator.domain.base import utcnow
from orchestrator.domain.credentials import CredentialKind
from orchestrator.domain.datasets import FETCHING, Dataset, DatasetStatus, Upload
from orchestrator.domain.errors import Conflict, Invalid
from orchestrator.domain.machines import PREP
from orchestrator.domain.redis_keys import TASK_INGEST
from orchestrator.domain.users import Actor
from orchestrator.domain.web_addresses import split_address
from orchestrator.services.access import owned_credential, owned_dataset
from orchestrator.services.after_commit import after_commit
from orchestrator.services.audit.recording import record
from orchestrator.services.credentials import azure_account, save_credential
from orchestrator.services.datasets.catalog import create_dataset, has_files
from orchestrator.services.datasets.files import remove_unpacked
from orchestrator.services.datasets.ingest.review import layout_before_review
from orchestrator.services.datasets.ingest.uploads import discard_uploads, import_share, refuse_if_busy
from orchestrator.services.datasets.rows import DatasetRow, dataset_row
from orchestrator.services.hub import checked_id, hub_credential, hub_problems
from orchestrator.services.queue import enqueue, ingest_key
from orchestrator.services.uploads.part_file import delete_upload_files
from orchestrator.services.url_safety import http_problem

REMOTE_SOURCES = ("url", "cloud", "hub")
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
"""Fields in which the credentials of a bucket can be given directly."""
_SWITCHES = ("review", "new_credentials")
_TEXTS = ("url", "uri", "repo", "revision", "token", "credential_name")


def parse_source(session: Session, actor: Actor, source: dict[str, Any] | None) -> dict[str, Any]:
    """Validates a source; new credentials in it are stored encrypted and replaced by their id.

    Returns:
        The source as `Dataset.source` stores it.

    Raises:
        Invalid: `problems` by field.
    """
    source = source or {"type": "upload"}
    _check_types(source)
    review = {"review": True} if source.get("review") else {}
    return _parsed(session, actor, source) | review


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


def _check_types(source: Mapping[str, Any]) -> None:
    """Refuses values of another type than their field has, which would be taken for something else.

    Raises:
        Invalid: `problems` by field.
    """
    problems = [(name, f"{name} must be true or false.") for name in _SWITCHES if not _is(bool, source.get(name))]
    problems += [(name, f"{name} must be a text.") for name in _TEXTS if not _is(str, source.get(name))]
    if problems:
        raise Invalid(problems[0][1], problems[0][0], problems)


def _is(kind: type, value: Any) -> bool:
    return value is None or isinstance(value, kind)


def _hub(session: Session, actor: Actor, source: dict[str, Any]) -> dict[str, Any]:
    """A dataset of the Hugging Face Hub; a new token is stored as a credential."""
    repo, revision, token = (str(source.get(key) or "").strip() for key in ("repo", "revision", "token"))
    if problems := hub_problems(repo, revision, token, "dataset"):
        raise Invalid(problems[0][1], problems[0][0], problems)
    parsed: dict[str, Any] = {"type": "hub", "kind": "dataset", "repo": repo, "revision": revision}
    if source.get("credential_id"):
        parsed["credential_id"] = hub_credential(session, actor, source["credential_id"])
    elif token:
        name = str(source.get("credential_name") or f"Hub token for {repo}")[:80]
        parsed["credential_id"] = save_credential(session, actor, "hub", name, {"token": token}).id
    return parsed


def _cloud(session: Session, actor: Actor, source: dict[str, Any]) -> dict[str, Any]:
    uri = str(source.get("uri") or "").strip()
    parts = split_address(uri)
    scheme = _SCHEMES.get(parts.scheme)
    bucket, _, account = parts.netloc.partition("@")
    unexpected_account = bool(account) and (scheme is not CredentialKind.AZ or not azure_account(account))
    if scheme is None or not bucket or unexpected_account or len(uri) > 1_000 or not uri.isprintable():
        raise Invalid("Enter an address like s3://bucket/folder, gs://bucket/folder or az://container/folder.", "uri")
    parsed: dict[str, Any] = {"type": "cloud", "uri": uri}
    if source.get("credential_id"):
        try:
            credential = owned_credential(session, actor.user_id, checked_id(source["credential_id"]))
        except ValueError:
            raise Invalid("These credentials do not exist. Choose others.", "credential_id") from None
        if credential.kind is not scheme:
            raise Invalid(f"{credential.name} is for {credential.kind}://. Choose others.", "credential_id")
        parsed["credential_id"] = credential.id
    elif source.get("new_credentials") or any(source.get(key) for key in SECRETS):
        name = str(source.get("credential_name") or f"{scheme.value}, {parts.netloc}")[:80]
        parsed["credential_id"] = save_credential(session, actor, scheme.value, name, source).id
    elif scheme is CredentialKind.AZ and not account:
        sentence = "Name the account of the container, az://container@account/folder, or choose credentials for it."
        raise Invalid(sentence, "uri")
    return parsed


def add_dataset(
    session: Session, actor: Actor, name: str, description: str, task: str, source: dict[str, Any] | None
) -> DatasetRow:
    """Creates a dataset: a draft that waits for uploads, or one that a worker downloads at once.

    Raises:
        Invalid: `problems` by field. Conflict: the name is taken.
    """
    parsed: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []  # all problems are reported together
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
    if dataset.source["type"] in REMOTE_SOURCES:
        start_fetch(session, dataset)
        record(session, actor, Act.DATASET_IMPORT_REQUESTED, dataset.id, dataset.name, after=_audited(dataset))
    session.add(dataset)
    session.flush()
    return dataset_row(dataset)


def _audited(dataset: Dataset) -> dict[str, Any]:
    """The source as the audit log keeps it: without the path of an address, which may be a secret."""
    source = dataset.source
    place = split_address(str(source.get("url") or source.get("uri") or "")).hostname or source.get("repo", "")
    return {"source": source.get("type", "upload"), "place": place}


def start_fetch(session: Session, dataset: Dataset) -> None:
    """Has a worker download the dataset's source; the caller has flushed the dataset."""
    dataset.status, dataset.stage, dataset.error = DatasetStatus.PROCESSING, FETCHING, ""
    dataset.progress_done = dataset.progress_total = 0
    dataset.updated_at = utcnow()
    session.add(dataset)
    session.flush()
    dataset_id, share = dataset.id or 0, import_share(session, dataset)
    after_commit(session, lambda: enqueue(TASK_INGEST, ingest_key(dataset_id), PREP, share, dataset_id=dataset_id))


def request_fetch(
    session: Session, actor: Actor, dataset_id: int, source: dict[str, Any] | None = None, credential_id: int = 0
) -> DatasetRow:
    """Downloads more clips into a dataset.

    Args:
        source: None to repeat the download of the current source, which has failed.
        credential_id: a stored Hub token, to repeat a download from the Hub with it.

    Raises:
        Conflict: the dataset is the demo, is processed now, or was uploaded. Invalid. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    refuse_if_busy(dataset)
    if source is not None:
        dataset.source = parse_source(session, actor, source)
    if dataset.source.get("type") not in REMOTE_SOURCES:
        raise Conflict("This dataset was uploaded. Add the files again.")
    if credential_id and dataset.source["type"] != "hub":
        raise Invalid("Only a dataset of the Hub takes a Hub token.", "credential_id")
    if credential_id:
        dataset.source = {**dataset.source, "credential_id": hub_credential(session, actor, credential_id)}
    discard_uploads(session, actor, dataset_id)  # uploads that wait for other layout options
    start_fetch(session, dataset)
    record(session, actor, Act.DATASET_IMPORT_REQUESTED, dataset_id, dataset.name, after=_audited(dataset))
    return dataset_row(dataset)


def cancel_import(session: Session, actor: Actor, dataset_id: int) -> DatasetRow:
    """Cancels a download or an import; the worker notices within a second. The clips from before stay.

    Raises:
        Conflict: nothing is processed. NotFound.
    """
    dataset = owned_dataset(session, actor, dataset_id)
    if dataset.status is not DatasetStatus.PROCESSING or dataset.is_demo:
        raise Conflict("Nothing is being imported here. It may have just finished.")
    previous = DatasetStatus.READY if has_files(session, dataset_id) else DatasetStatus.DRAFT
    cancel = update(Dataset).where(col(Dataset.id) == dataset_id, col(Dataset.status) == DatasetStatus.PROCESSING)
    values = {"status": previous, "stage": "", "error": "", "layout": layout_before_review(dataset.layout)}
    if not session.exec(cancel.values(**values, updated_at=utcnow())).rowcount:
        raise Conflict("It has just finished.")
    uploads = session.exec(select(Upload).where(Upload.dataset_id == dataset_id)).all()
    for upload in uploads:
        session.delete(upload)
    session.flush()
    record(session, actor, Act.DATASET_IMPORT_CANCELLED, dataset_id, dataset.name)
    session.refresh(dataset)
    ids = [upload.id for upload in uploads]
    after_commit(session, lambda: delete_upload_files(ids))
    after_commit(session, lambda: remove_unpacked(dataset_id))
    return dataset_row(dataset)
