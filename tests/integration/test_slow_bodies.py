"""A body that hardly arrives ends with 408 and a closed connection; a slow upload that keeps sending goes on."""

import base64
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.api_client import PASSWORD
from tests.granian_server import granian_server
from tests.studio import RedisProcess

pytestmark = pytest.mark.slow
LIMIT_S = 60.0
"""What is not closed within this time is left open."""


@pytest.fixture
def port(home: Path, redis_server: RedisProcess) -> Iterator[int]:
    """Where the API listens, served as it is in production."""
    with granian_server("tests.fakes.slow_body_server:create", home, path="/api/v1/health") as (port, _):
        yield port


def drip(port: int, head: str, chunk: bytes, pause_s: float, limit_s: float = LIMIT_S) -> tuple[bytes, float]:
    """Sends a request's head, then a piece of its body again and again: (the answer, seconds until it was closed)."""
    began, answer = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(f"{head}\r\nHost: localhost:{port}\r\n\r\n".encode())
        line.settimeout(pause_s)
        while time.monotonic() - began < limit_s:
            try:
                line.sendall(chunk)
                received = line.recv(65536)
                if not received:
                    return answer, time.monotonic() - began
                answer += received
            except TimeoutError:
                continue
            except OSError:
                return answer, time.monotonic() - began
    return answer, limit_s


LOGIN = "POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2000"
CHUNKED = "POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
UNKNOWN = "POST /api/v1/nowhere HTTP/1.1\r\nContent-Length: 2000"
NO_LOGIN = "POST /api/v1/datasets HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2000"


def test_bodies_that_hardly_arrive_are_closed(port: int) -> None:
    cases = [
        (LOGIN, b" ", b"408"),
        (LOGIN, b"", b"408"),
        (CHUNKED, b"1\r\n \r\n", b"408"),
        (CHUNKED, b"", b"408"),
        (UNKNOWN, b" ", b"404"),
        (NO_LOGIN, b" ", b"4"),
    ]
    with ThreadPoolExecutor(len(cases)) as executor:
        answers = list(executor.map(lambda case: drip(port, case[0], case[1], 0.25), cases))
    for (head, _, status), (answer, seconds) in zip(cases, answers, strict=True):
        assert seconds < LIMIT_S, head
        assert answer.split(b" ")[1].startswith(status), (head, answer[:200])


def test_uploads_that_keep_sending_go_on_and_stalled_ones_end(port: int) -> None:
    site = f"http://localhost:{port}"
    with httpx.Client(base_url=f"{site}/api/v1", headers={"Origin": site}, timeout=20) as client:
        account = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
        assert client.post("/auth/signup", json=account).status_code == 201
        assert client.post("/auth/login", json={"login": "ada", "password": PASSWORD}).status_code == 200
        dataset = client.post("/datasets", json={"name": "Motions"}).json()["id"]
        steady, stalled = (begin_upload(client, dataset, f"{name}.mp4", 12_000) for name in ("steady", "stalled"))
        cookie = f"loreel_session={client.cookies['loreel_session']}"

        def patch(upload: str) -> str:
            return (
                f"PATCH /api/v1/uploads/{upload} HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {site}\r\nUpload-Offset: 0\r\n"
                "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 12000"
            )

        answer, seconds = drip(port, patch(stalled), b"x" * 20, 0.5)
        assert b"connection: close" in answer, answer[:200]  # 204 with the offset, from which clients go on
        assert seconds < LIMIT_S
        offset = int(client.head(f"/uploads/{stalled}", headers={"Tus-Resumable": "1.0.0"}).headers["upload-offset"])
        assert 0 < offset < 12_000
        scratch = f"POST /api/v1/playground/clips?name=a.mp4 HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {site}"
        answer, seconds = drip(port, f"{scratch}\r\nContent-Length: 12000", b"x", 0.5)
        assert b" 408 " in answer, answer[:200]
        answer, seconds = drip(port, patch(steady), b"x" * 1_000, 0.5, limit_s=8)
        assert b" 204 " in answer, answer[:200]
        assert seconds > 4


def begin_upload(client: httpx.Client, dataset: str, name: str, length: int) -> str:
    pairs = {"filename": name, "dataset_id": dataset}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    headers = {"Upload-Length": str(length), "Upload-Metadata": metadata, "Tus-Resumable": "1.0.0"}
    answer = client.post("/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rpartition("/")[2]
