"""Copies an object, or all clips below a prefix, out of a bucket: s3://, gs:// and az:// through fsspec."""

from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from jobs.fetch.report import Problem, Progress
from orchestrator.services.credentials import azure_account
from orchestrator.services.datasets.files import VIDEO_ENDINGS, is_litter
from orchestrator.services.datasets.layouts.tree import TEXT_ENDINGS

MOST_OBJECTS = 100_000
_BLOCK = 2**20
WANTED = VIDEO_ENDINGS | TEXT_ENDINGS | {".zip", ".tar", ".tgz", ".gz", ".cls"}


def fetch_bucket(uri: str, secrets: dict[str, Any], folder: Path, progress: Progress) -> list[tuple[Path, str]]:
    """Writes the objects into `folder`: [(file, its path below the prefix)].

    Args:
        secrets: s3: access_key, secret_key, endpoint, region; gs: service_account; az: account, account_key or
            sas_token, endpoint; {} reads as anybody.

    Raises:
        Problem: a sentence; and whatever the store's library raises.
    """
    parts = urlsplit(uri)
    bucket, _, account = parts.netloc.partition("@")
    makers = {"s3": _s3, "gs": _gs, "gcs": _gs}
    maker = makers.get(parts.scheme)
    store = maker(secrets) if maker else _az(secrets, azure_account(account))
    root = f"{bucket}/{parts.path.strip('/')}".rstrip("/")
    listing = _listing(store, root)
    wanted = {
        key: int(info.get("size") or 0)
        for key, info in listing.items()
        if info.get("type") == "file" and PurePosixPath(key).suffix.lower() in WANTED and not is_litter(key)
    }
    if not wanted:
        raise Problem(f"There are no videos or archives at {uri}. Check the bucket and the folder.")
    if len(wanted) > MOST_OBJECTS:
        raise Problem(f"There are {len(wanted):,} objects at {uri}; at most {MOST_OBJECTS:,} are fetched at once.")
    progress.total = sum(wanted.values())
    progress.check_total()
    return [_copy(store, key, root, folder / str(number), progress) for number, key in enumerate(sorted(wanted))]


def _listing(store: Any, root: str) -> dict[str, dict[str, Any]]:
    found = store.find(root, detail=True)
    # adlfs answers with the name alone when it is one object.
    return found if isinstance(found, dict) else {str(key): store.info(key) for key in found}


def _copy(store: Any, key: str, root: str, path: Path, progress: Progress) -> tuple[Path, str]:
    with store.open(key, "rb", block_size=8 * _BLOCK, cache_type="readahead") as source, path.open("wb") as file:
        while block := source.read(_BLOCK):
            progress.add(len(block))
            file.write(block)
    below = key.removeprefix(root).strip("/")
    return path, below or PurePosixPath(key).name


def _s3(secrets: dict[str, Any]) -> Any:
    import s3fs

    client = {
        key: secrets[name]
        for key, name in (("endpoint_url", "endpoint"), ("region_name", "region"))
        if secrets.get(name)
    }
    key, secret = secrets.get("access_key"), secrets.get("secret_key")
    config = {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 2}}
    # Said outright, so that the keys of the machine itself are never tried.
    return s3fs.S3FileSystem(
        anon=not key, key=key, secret=secret, client_kwargs=client, config_kwargs=config, skip_instance_cache=True
    )


def _gs(secrets: dict[str, Any]) -> Any:
    import gcsfs

    options = {"endpoint_url": secrets["endpoint"]} if secrets.get("endpoint") else {}
    token = secrets.get("service_account") or "anon"
    return gcsfs.GCSFileSystem(token=token, skip_instance_cache=True, **options)


def _az(secrets: dict[str, Any], account: str) -> Any:
    """`account`: whose container it is, where the address says it."""
    import adlfs

    account = secrets.get("account") or account
    # Without a key it reads as anybody: never with the identity of the machine itself.
    how = {name: secrets[name] for name in ("account_key", "sas_token") if secrets.get(name)} or {"anon": True}
    options: dict[str, Any] = {"account_name": account, "skip_instance_cache": True, **how}
    if secrets.get("endpoint"):
        signed = f"AccountKey={secrets['account_key']}" if "account_key" in how else ""
        signed = signed or f"SharedAccessSignature={secrets.get('sas_token', '')}"
        where = f"BlobEndpoint={secrets['endpoint'].rstrip('/')}"
        options["connection_string"] = f"DefaultEndpointsProtocol=https;AccountName={account};{signed};{where};"
    return adlfs.AzureBlobFileSystem(**options)
