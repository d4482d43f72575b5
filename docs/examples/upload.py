import base64
import os
import sys
import time
from pathlib import Path

import httpx

PIECE = 64 * 2**20


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def upload(api: httpx.Client, dataset: str, path: Path) -> None:
    """Sends one file by tus 1.0, in pieces; a piece that broke off is continued where it ended."""
    size = path.stat().st_size
    metadata = f"filename {encoded(path.name)},dataset_id {encoded(dataset)}"
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": metadata}
    address = api.post("/uploads", headers=headers).raise_for_status().headers["location"]
    place, offset = httpx.URL(str(api.base_url)).join(address), 0
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            headers = {
                "Tus-Resumable": "1.0.0",
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
            }
            try:
                answer = api.patch(place, headers=headers, content=file.read(PIECE)).raise_for_status()
            except httpx.TransportError:
                time.sleep(1)
                answer = api.head(place, headers={"Tus-Resumable": "1.0.0"}).raise_for_status()
            offset = int(answer.headers["upload-offset"])


def main(path: Path) -> None:
    headers = {"Authorization": f"Bearer {os.environ['LOREEL_TOKEN']}"}
    with httpx.Client(base_url=f"{os.environ['LOREEL_URL']}/api/v1", headers=headers, timeout=60) as api:
        body = {"name": path.stem, "task": "classification"}
        dataset = api.post("/datasets", json=body).raise_for_status().json()["id"]
        upload(api, dataset, path)
        found = api.post(f"/datasets/{dataset}/ingest").raise_for_status().json()
        while found["status"] == "processing":
            time.sleep(0.5)
            found = api.get(f"/datasets/{dataset}").raise_for_status().json()
        if found["status"] == "error":
            sys.exit(found["error"])
        print(f"Dataset {dataset}: {found['clip_count']} clips, {found['bad_count']} left out")
        print("Classes:", ", ".join(found["class_names"]))


main(Path(sys.argv[1]))
