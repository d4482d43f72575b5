"""Fetches an object, or all clips below a prefix, out of a bucket: s3://, gs:// and az://."""

from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from jobs.fetch.kept import Kept, Object
from jobs.fetch.objects import fetch_objects
from jobs.fetch.report import Problem, Progress
from jobs.fetch.stores import AZ, GS, S3
from orchestrator.services.credentials import azure_account
from orchestrator.services.datasets.files import VIDEO_ENDINGS, is_litter
from orchestrator.services.datasets.layouts.tree import TEXT_ENDINGS

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
    wanted = _objects(store, f"{bucket}/{parts.path.strip('/')}".rstrip("/"))
    if not wanted:
        raise Problem(f"There are no videos or archives at {uri}. Check the bucket and the folder.")
    if len(wanted) > MOST_OBJECTS:
        raise Problem(f"There are {len(wanted):,} objects at {uri}; at most {MOST_OBJECTS:,} are fetched at once.")
    return fetch_objects(wanted, store, kept, progress, patience_s)


def _objects(store: S3 | GS | AZ, root: str) -> list[Object]:
    found = store.files.find(root, detail=True)
    # adlfs answers with the name alone when it is one object.
    listing = found if isinstance(found, dict) else {str(key): store.files.info(key) for key in found}
    return [
        Object(
            key=key,
            name=key.removeprefix(root).strip("/") or PurePosixPath(key).name,
            size=int(info.get("size") or 0),
            version=str(info.get(store.version) or ""),
        )
        for key, info in sorted(listing.items())
        if info.get("type") == "file" and PurePosixPath(key).suffix.lower() in WANTED and not is_litter(key)
    ]
