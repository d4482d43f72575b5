"""`python -m jobs.fetch`: fetches one source, in a process that has the credentials for it and no others."""

import sys
from pathlib import Path

from jobs.fetch.failures import describe_failure
from jobs.fetch.guard import only_public
from jobs.fetch.report import Progress, send_message
from jobs.sandbox import limits
from orchestrator.services.fetching import FetchRequest

MEMORY_BYTES = 8 * 2**30
OPEN_FILES = 1_024


def fetch(request: FetchRequest) -> list[tuple[Path, str]]:
    """Runs the request; returns the files that it wrote, each with its name for the dataset."""
    folder, source = Path(request.folder), request.source
    progress = Progress(request.max_bytes, request.timeout_s)
    if source["type"] == "url":
        from jobs.fetch.web import fetch_url

        files = fetch_url(source["url"], folder, progress, request.timeout_s, request.allow_private)
    elif source["type"] == "hub-size":
        from jobs.fetch.hub import repository_size

        send_message(found=repository_size(source, request.secrets))
        return []
    elif source["type"] == "hub" and source.get("kind") == "dataset":
        from jobs.fetch.hub_dataset import fetch_dataset

        files = fetch_dataset(source, request.secrets, folder, progress, request.timeout_s)
    elif source["type"] == "hub":
        from jobs.fetch.hub import fetch_hub

        files = fetch_hub(source, request.secrets, folder, progress, request.timeout_s)
    elif source["type"] == "push":
        from jobs.fetch.push import push_hub

        files = push_hub(source, request.secrets, progress)
    else:
        from jobs.fetch.cloud import fetch_bucket

        files = fetch_bucket(source["uri"], request.secrets, folder, progress, request.timeout_s)
    progress.report()
    return files


def main() -> int:
    """Reads the request from stdin; ends with {"files": [...]} or {"problem": sentence}."""
    request = FetchRequest.unpack(sys.stdin.readline())
    limits.apply(memory_bytes=MEMORY_BYTES, file_bytes=request.max_bytes, open_files=OPEN_FILES)
    if not request.allow_private:
        only_public()
    try:
        files = fetch(request)
    except Exception as error:
        send_message(problem=describe_failure(error))
        return 1
    send_message(files=[[str(path), name] for path, name in files])
    return 0


if __name__ == "__main__":
    sys.exit(main())
