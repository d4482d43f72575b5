"""`python -m jobs.fetch`: a process of its own that fetches one source; it knows no secret but the one it is lent."""

import sys
from pathlib import Path

from jobs.fetch.failures import sentence
from jobs.fetch.guard import only_public
from jobs.fetch.report import Progress, say
from jobs.sandbox import limits
from orchestrator.services.fetching import FetchRequest

MEMORY_BYTES = 8 * 2**30
OPEN_FILES = 1_024


def fetch(request: FetchRequest) -> list[tuple[Path, str]]:
    """Does what is asked; the files that it wrote, each with its name for the dataset."""
    folder, source = Path(request.folder), request.source
    progress = Progress(request.max_bytes, request.timeout_s)
    if source["type"] == "url":
        from jobs.fetch.web import fetch_url

        brought = fetch_url(source["url"], folder, progress, request.timeout_s, request.allow_private)
    elif source["type"] == "hub-size":
        from jobs.fetch.hub import look_up

        say(found=look_up(source, request.secrets))
        return []
    elif source["type"] == "hub" and source.get("kind") == "dataset":
        from jobs.fetch.hub_dataset import fetch_dataset

        brought = fetch_dataset(source, request.secrets, folder, progress, request.timeout_s)
    elif source["type"] == "hub":
        from jobs.fetch.hub import fetch_hub

        brought = fetch_hub(source, request.secrets, folder, progress, request.timeout_s)
    elif source["type"] == "push":
        from jobs.fetch.push import push_hub

        brought = push_hub(source, request.secrets, progress)
    else:
        from jobs.fetch.cloud import fetch_bucket

        brought = fetch_bucket(source["uri"], request.secrets, folder, progress, request.timeout_s)
    progress.tell()
    return brought


def main() -> int:
    """Reads the request from stdin; ends with {"files": [...]} or {"problem": sentence}."""
    request = FetchRequest.unpack(sys.stdin.readline())
    limits.apply(memory_bytes=MEMORY_BYTES, file_bytes=request.max_bytes, open_files=OPEN_FILES)
    if not request.allow_private:
        only_public()
    try:
        brought = fetch(request)
    except Exception as error:
        say(problem=sentence(error))
        return 1
    say(files=[[str(path), name] for path, name in brought])
    return 0


if __name__ == "__main__":
    sys.exit(main())
