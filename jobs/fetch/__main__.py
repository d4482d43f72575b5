"""`python -m jobs.fetch`: a process of its own that fetches one source; it knows no secret but the one it is lent."""

import errno
import json
import sys
from pathlib import Path
from typing import Any

from jobs.fetch.guard import REFUSED, only_public
from jobs.fetch.report import Problem, Progress, say

PRIVATE = "The address leads into a private network. Only public addresses are fetched here."


def fetch(wish: dict[str, Any]) -> list[tuple[Path, str]]:
    """Does what the wish says: {source, secrets, folder, max_bytes, patience_s}."""
    folder, source = Path(wish["folder"]), wish["source"]
    progress = Progress(wish["max_bytes"], wish["patience_s"])
    if source["type"] == "url":
        from jobs.fetch.web import fetch_url

        brought = fetch_url(source["url"], folder, progress, wish["patience_s"])
    elif source["type"] == "hub-size":
        from jobs.fetch.hub import look_up

        say(found=look_up(source, wish["secrets"]))
        return []
    elif source["type"] == "hub" and source.get("kind") == "dataset":
        from jobs.fetch.hub_dataset import fetch_dataset

        brought = fetch_dataset(source, wish["secrets"], folder, progress)
    elif source["type"] == "hub":
        from jobs.fetch.hub import fetch_hub

        brought = fetch_hub(source, wish["secrets"], folder, progress)
    elif source["type"] == "push":
        from jobs.fetch.push import push_hub

        brought = push_hub(source, wish["secrets"], progress)
    else:
        from jobs.fetch.cloud import fetch_bucket

        brought = fetch_bucket(source["uri"], wish["secrets"], folder, progress)
    progress.tell()
    return brought


def sentence(error: BaseException) -> str:
    """Any failure in words; never the words of a library, which may hold parts of a key."""
    if REFUSED:
        return PRIVATE
    if isinstance(error, Problem):
        return str(error)
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free some space, then try again."
    # A signature that may not list is a plain HttpResponseError of Azure's.
    refused = getattr(error, "status_code", 0) in (401, 403)
    if (
        refused
        or isinstance(error, PermissionError)
        or kind
        in (
            "NoCredentialsError",
            "RefreshError",
            "Forbidden",
            "InvalidAccessKeyId",
            "ClientAuthenticationError",
        )
    ):
        return "The store refuses these credentials for this bucket. Check both."
    if isinstance(error, FileNotFoundError) or kind == "ResourceNotFoundError":
        return "There is no such bucket or folder. Check the address for typing mistakes."
    if kind in ("LocalEntryNotFoundError", "OfflineModeIsEnabled"):
        return "The Hugging Face Hub cannot be reached from this machine. Upload the files instead, or give a folder."
    if "Timeout" in kind:
        return "The server does not answer in time. Try again later."
    if "Connect" in kind or "DNS" in kind or kind in ("gaierror", "EndpointConnectionError", "ServiceRequestError"):
        return "The server cannot be reached. Check the address, and that this machine has a way to it."
    if kind in ("ReadError", "RemoteProtocolError", "IncompleteRead", "ClientPayloadError", "ServiceResponseError"):
        return "The download broke off. Try again."
    return f"The files could not be fetched ({kind}). Check the address and try again."


def main() -> int:
    """Reads the wish from stdin; ends with {"files": [...]} or {"problem": sentence}."""
    wish = json.loads(sys.stdin.readline())
    if not wish["allow_private"]:
        only_public()
    try:
        brought = fetch(wish)
    except Exception as error:
        say(problem=sentence(error))
        return 1
    say(files=[[str(path), name] for path, name in brought])
    return 0


if __name__ == "__main__":
    sys.exit(main())
