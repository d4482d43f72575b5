"""Fetches an object, or everything importable below a prefix, from a bucket: s3://, gs:// and az://."""

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.fetch.object_folder import ObjectFolder, RemoteObject
from jobs.fetch.objects import fetch_objects
from jobs.fetch.report import Problem, Progress
from jobs.fetch.retry import Retry
from jobs.fetch.stores import AZ, GS, S3, Store
from orchestrator.domain.web_addresses import split_address
from orchestrator.services.credentials import azure_account
from orchestrator.services.datasets.files import VIDEO_ENDINGS, is_system_file
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS

MAX_OBJECTS = 100_000
IMPORTABLE_ENDINGS = VIDEO_ENDINGS | TEXT_ENDINGS | {".zip", ".tar", ".tgz", ".gz", ".cls"}


def fetch_bucket(
    uri: str, secrets: dict[str, Any], folder: Path, progress: Progress, timeout_s: float
) -> list[tuple[Path, str]]:
    """Downloads the objects into `folder`: [(file, its path below the prefix)]. An earlier call is continued.

    Args:
        secrets: s3: access_key, secret_key, endpoint, region; gs: service_account; az: account, account_key or
            sas_token, endpoint; {}: without credentials.

    Raises:
        Problem: a sentence; and whatever the store's library raises.
    """
    parts = split_address(uri)
    bucket, _, account = parts.netloc.partition("@")
    makers = {"s3": S3, "gs": GS, "gcs": GS}
    maker = makers.get(parts.scheme)
    store = maker(secrets) if maker else AZ(secrets, azure_account(account))
    downloads = ObjectFolder(folder, uri, store.identity)
    objects = list_objects(store, bucket, parts.path.strip("/"), Retry(timeout_s, progress))
    if not objects:
        raise Problem(f"There are no videos or archives at {uri}. Check the bucket and the folder.")
    if len(objects) > MAX_OBJECTS:
        raise Problem(f"There are {len(objects):,} objects at {uri}; at most {MAX_OBJECTS:,} are fetched at once.")
    return fetch_objects(objects, store, downloads, progress, timeout_s)


def list_objects(store: Store, bucket: str, path: str, retry: Retry) -> list[RemoteObject]:
    """The object of this name, else all importable ones below it; an interrupted list continues at the same page."""
    single = retry.call(lambda: store.stat(bucket, path)) if is_importable(path) else None
    rows, after, complete = [single] if single else [], "", bool(single)
    while not complete:
        page, after = retry.call(partial(store.page, bucket, path and f"{path}/", after))
        rows += [row for row in page if is_importable(row[0])]
        complete = not after
    return [
        RemoteObject(f"{bucket}/{name}", name.removeprefix(path).strip("/") or PurePosixPath(name).name, size, version)
        for name, size, version in sorted(rows)
    ]


def is_importable(name: str) -> bool:
    """Whether an import can use a file of this name."""
    return (
        not name.endswith("/") and PurePosixPath(name).suffix.lower() in IMPORTABLE_ENDINGS and not is_system_file(name)
    )
