"""`python -m jobs.fetch`: a process of its own that fetches one source; it knows no secret but the one it is lent."""

import json
import sys
from pathlib import Path
from typing import Any

from jobs.fetch.failures import sentence
from jobs.fetch.guard import only_public
from jobs.fetch.report import Progress, say


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

        brought = fetch_dataset(source, wish["secrets"], folder, progress, wish["patience_s"])
    elif source["type"] == "hub":
        from jobs.fetch.hub import fetch_hub

        brought = fetch_hub(source, wish["secrets"], folder, progress, wish["patience_s"])
    elif source["type"] == "push":
        from jobs.fetch.push import push_hub

        brought = push_hub(source, wish["secrets"], progress)
    else:
        from jobs.fetch.cloud import fetch_bucket

        brought = fetch_bucket(source["uri"], wish["secrets"], folder, progress, wish["patience_s"])
    progress.tell()
    return brought


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
