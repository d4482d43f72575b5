"""A small web server for the tests of fetching: files, redirects, endless and slow bodies, a bucket like GCS."""

import json
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.serving import serving

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by `server.routes`, then as a bucket whose objects are `server.objects`."""

    def do_GET(self) -> None:
        server: Any = self.server
        path = urlsplit(self.path).path
        server.asked.append(self.path)
        if path in server.routes:
            server.routes[path](self)
        elif path.startswith(("/storage/v1/b/", "/download/storage/v1/b/")):
            self._bucket(server.objects)
        else:
            self.send_error(404)

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _bucket(self, objects: dict[str, bytes]) -> None:
        url = urlsplit(self.path)
        name = unquote(url.path.partition("/o/")[2])
        about = [
            {"name": key, "bucket": "films", "size": str(len(data)), "kind": "storage#object"}
            | {"generation": _generation(data)}
            for key, data in objects.items()
        ]
        if not name:
            prefix = parse_qs(url.query).get("prefix", [""])[0]
            found = [item for item in about if str(item["name"]).startswith(prefix)]
            self.send(json.dumps({"items": found}).encode(), Content_Type="application/json")
        elif name not in objects:
            self.send(b'{"error": {"code": 404, "message": "none"}}', 404, Content_Type="application/json")
        elif "alt=media" in url.query:
            if f"&generation={_generation(objects[name])}" not in f"&{url.query}":
                self.send(b'{"error": {"code": 404, "message": "none"}}', 404, Content_Type="application/json")
                return
            start, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            data = objects[name][int(start) : int(end) + 1 if end else None]
            self.send(data, 206 if "Range" in self.headers else 200)
        else:
            self.send(json.dumps(next(i for i in about if i["name"] == name)).encode(), Content_Type="application/json")

    def log_message(self, format: str, *args: Any) -> None: ...


def _generation(data: bytes) -> str:
    return str(1_700_000_000_000_000 + zlib.crc32(data))


class WebServer(ThreadingHTTPServer):
    """`routes`: answers by path; `objects`: what the bucket `films` holds; `asked`: the paths that were asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes: dict[str, Answer] = {}
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None: ...


def web_server() -> AbstractContextManager[WebServer]:
    """A server on a free port of this machine."""
    return serving(WebServer())


def endless(handler: Handler) -> None:
    """A body that never ends and never says how long it is."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(2**16))


def dripping(handler: Handler) -> None:
    """One byte now and then."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b".")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(handler: Handler) -> None:
    """Takes the connection and says nothing until the asker has gone."""
    handler.connection.settimeout(30)
    handler.rfile.read(1)


def redirect(target: str) -> Answer:
    """Leads elsewhere."""
    return lambda handler: handler.send(b"", 302, Location=target)


def file(data: bytes, **headers: str) -> Answer:
    """A whole file."""
    return lambda handler: handler.send(data, 200, **headers)


class Ranged:
    """A file that can be gone on with; each of the first `breaks` lines ends in the middle of what is left."""

    def __init__(self, data: bytes, breaks: int = 0, **validator: str) -> None:
        self.data, self.breaks, self.validator = data, breaks, validator
        self.sent: list[tuple[int, int]] = []
        """(status, first byte) of each answer."""

    def __call__(self, handler: Handler) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if handler.headers.get("If-Range") not in self.validator.values():
            start = 0
        rest, status = self.data[start:], 206 if start else 200
        span = {"Content_Range": f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"} if start else {}
        self.sent.append((status, start))
        whole = len(self.sent) > self.breaks
        body = rest if whole else rest[: len(rest) // 2]
        handler.send(body, status, Content_Length=str(len(rest)), **span, **self.validator)
