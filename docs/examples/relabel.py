import os
import sys
from collections.abc import Iterator

import httpx


def clips_of(api: httpx.Client, dataset: str, label: str) -> Iterator[dict]:
    """Every clip with the label, page by page."""
    cursor = None
    while True:
        wanted = {"label": label, "limit": 200} | ({"cursor": cursor} if cursor else {})
        page = api.get(f"/datasets/{dataset}/clips", params=wanted).raise_for_status().json()
        yield from page["items"]
        if not (cursor := page["next"]):
            return


def main(dataset: str, old: str, new: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['LOREEL_TOKEN']}"}
    with httpx.Client(base_url=f"{os.environ['LOREEL_URL']}/api/v1", headers=headers, timeout=60) as api:
        ids = [clip["id"] for clip in clips_of(api, dataset, old)]
        if not ids:
            sys.exit(f"No clip is labelled {old}.")
        body = {"clip_ids": ids, "label": new}
        edit = api.patch(f"/datasets/{dataset}/clips", json=body).raise_for_status().json()["edit"]
        print(f"{len(ids)} clips are {new} now, in version {edit['version']}.")
        print(f"Undo: POST /api/v1/datasets/{dataset}/edits/{edit['id']}/undo")


main(*sys.argv[1:4])
