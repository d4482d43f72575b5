"""Fetches an object, or all clips below a prefix, out of a bucket: s3://, gs:// and az://."""

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from jobs.fetch.kept import Kept, Object
from jobs.fetch.objects import fetch_objects
from jobs.fetch.patience import Patience
from jobs.fetch.report import Problem, Progress
from jobs.fetch.stores import AZ, GS, S3, Store
from orchestrator.services.credentials import azure_account
from orchestrator.services.datasets.files import VIDEO_ENDINGS, is_system_file
from orchestrator.services.datasets.ingest.layouts.tree import TEXT_ENDINGS

MOST_OBJECTS = 100_000
WANTED = VIDEO_ENDINGS | TEXT_ENDINGS | {".zip", ".tar", ".tgz", ".gz", ".cls"}


def fetch_bucket(
    uri: str, secrets: dict[str, Any], folder: Path, progress: Progress, patience_s: float
) -> list[tuple[Path, str]]:
    """Writes the objects into `folder`: [(file, its path below the prefix)]; what an earlier call left there stays.

    Args:
        secrets: s3: access_key, secret_key, endpoint, region; gs: service_account; az: account, account_key or
            sas_token, endpoint; {} reads as anybody.

    Raises:
        Problem: a sentence; and whatever the store's library raises.
    """
    parts = urlsplit(uri)
    bucket, _, account = parts.netloc.partition("@")
    makers = {"s3": S3, "gs": GS, "gcs": GS}
    maker = makers.get(parts.scheme)
    store = maker(secrets) if maker else AZ(secrets, azure_account(account))
    kept = Kept(folder, uri, store.place)
    wanted = list_objects(store, bucket, parts.path.strip("/"), Patience(patience_s, progress))
    if not wanted:
        raise Problem(f"There are no videos or archives at {uri}. Check the bucket and the folder.")
    if len(wanted) > MOST_OBJECTS:
        raise Problem(f"There are {len(wanted):,} objects at {uri}; at most {MOST_OBJECTS:,} are fetched at once.")
    return fetch_objects(wanted, store, kept, progress, patience_s)


def list_objects(store: Store, bucket: str, path: str, patience: Patience) -> list[Object]:
    """The object of this name, else those below it that an import can use; page for page, on from one that broke."""
    one = patience.ask(lambda: store.about(bucket, path)) if _is_wanted(path) else None
    found, after, whole = [one] if one else [], "", bool(one)
    while not whole:
        page, after = patience.ask(partial(store.page, bucket, path and f"{path}/", after))
        found += [row for row in page if _is_wanted(row[0])]
        whole = not after
    return [
        Object(f"{bucket}/{name}", name.removeprefix(path).strip("/") or PurePosixPath(name).name, size, version)
        for name, size, version in sorted(found)
    ]


def _is_wanted(name: str) -> bool:
    return not name.endswith("/") and PurePosixPath(name).suffix.lower() in WANTED and not is_system_file(name)
