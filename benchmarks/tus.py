"""A client of the upload protocol for benchmarks: as the page sends (in chunks) or as a script may (in one piece)."""

import base64
import http.client
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

import httpx

PAGE_CHUNK = 64 * 2**20
"""What the page's uploader sends at a time (orchestrator/ui/uploader/sender.ts)."""
_NEW = {"username": "bench", "email": "bench@example.org", "password": "a long enough password 4"}


def sign_in(url: str) -> httpx.Client:
    """A person of a fresh Loreel."""
    client = httpx.Client(base_url=f"{url}/api/v1", headers={"Origin": url}, timeout=60)
    client.post("/auth/signup", json=_NEW).raise_for_status()
    client.post("/auth/login", json={"login": "bench", "password": _NEW["password"]}).raise_for_status()
    return client


def begin(client: httpx.Client, name: str, length: int) -> str:
    """A new dataset and a place for a file of its own; the place's path."""
    dataset = client.post("/datasets", json={"name": name}).raise_for_status().json()["id"]
    words = {"filename": "films/big.mp4", "dataset_id": dataset}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in words.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": metadata}
    return client.post("/uploads", headers=headers).raise_for_status().headers["location"]


def offset_of(client: httpx.Client, place: str) -> int:
    """How much has arrived."""
    answer = client.head(place.removeprefix("/api/v1"), headers={"Tus-Resumable": "1.0.0"}).raise_for_status()
    return int(answer.headers["upload-offset"])


class Line:
    """One connection that sends parts of a file, with the kernel copying: the client costs next to nothing."""

    def __init__(self, client: httpx.Client) -> None:
        parts = urlsplit(str(client.base_url))
        self._cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def send(self, place: str, file: Path, offset: int, count: int, cut_after: int | None = None) -> int:
        """The answer's status; 0 when the line was cut by us after that many bytes."""
        self._http.putrequest("PATCH", place)
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(count),
            "Cookie": self._cookie,
            "Origin": self._origin,
        }
        for name, value in headers.items():
            self._http.putheader(name, value)
        self._http.endheaders()
        sock = self._http.sock
        with file.open("rb") as source:
            sock.sendfile(source, offset, count if cut_after is None else cut_after)
        if cut_after is not None:
            # Reset, as a lost line does it: no goodbye.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._http.close()
            return 0
        answer = self._http.getresponse()
        answer.read()
        return answer.status
