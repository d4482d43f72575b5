"""A stand-in for Azure Blob Storage: one account whose containers are listed and read as Azure's library asks.

It checks the shared-key signature of each request as Azure documents it ("Authorize with Shared Key"), so that a wrong
key is refused for the right reason.
"""

import base64
import hashlib
import hmac
import zlib
from contextlib import AbstractContextManager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.fakes.serving import serving

ACCOUNT = "films0account"
KEY = base64.b64encode(b"a key that opens the films of a test, and nothing else").decode()
_SIGNED = (
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-MD5",
    "Content-Type",
    "Date",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Unmodified-Since",
    "Range",
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        server: Any = self.server
        url = urlsplit(self.path)
        server.asked.append(url.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        _, account, container, *rest = [*url.path.split("/", 3), "", ""]
        public = container in server.public and "Authorization" not in self.headers
        if account != ACCOUNT or not (public or self._signed(url.path, query)):
            self._problem(403, server.refusal)
        elif container not in server.containers:
            self._problem(404, "ContainerNotFound")
        elif query.get("comp") == "list":
            self._list(container, query.get("prefix", ""))
        else:
            self._blob(server.containers[container], unquote(rest[0]))

    def _signed(self, path: str, query: dict[str, str]) -> bool:
        lines = [self.command, *(self.headers.get(name, "") for name in _SIGNED)]
        lines[3] = "" if lines[3] == "0" else lines[3]
        own = sorted((k.lower(), v.strip()) for k, v in self.headers.items() if k.lower().startswith("x-ms-"))
        lines += [f"{key}:{value}" for key, value in own]
        lines.append(f"/{ACCOUNT}{path}")
        lines += [f"{key.lower()}:{value}" for key, value in sorted(query.items())]
        digest = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
        return self.headers.get("Authorization", "") == f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"

    def _list(self, container: str, prefix: str) -> None:
        server: Any = self.server
        blobs = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(data)}</Content-Length>"
            f"<Content-Type>video/mp4</Content-Type><Last-Modified>{formatdate(usegmt=True)}</Last-Modified>"
            f"<Etag>{_etag(data)}</Etag><BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name, data in sorted(server.containers[container].items())
            if name.startswith(prefix)
        )
        text = (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{container}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>"
        )
        self._send(text.encode(), 200, {"Content-Type": "application/xml"})

    def _blob(self, blobs: dict[str, bytes], name: str) -> None:
        if name not in blobs:
            self._problem(404, "BlobNotFound")
            return
        data, status = blobs[name], 200
        facts = {"x-ms-blob-type": "BlockBlob", "ETag": f'"{_etag(data)}"', "Last-Modified": formatdate(usegmt=True)}
        if self.headers.get("If-Match", facts["ETag"]) != facts["ETag"]:
            self._problem(412, "ConditionNotMet")
            return
        wanted = self.headers.get("x-ms-range") or self.headers.get("Range")
        if wanted and self.command == "GET":
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            last = min(int(end) if end else len(data) - 1, len(data) - 1)
            facts["Content-Range"] = f"bytes {start}-{last}/{len(data)}"
            data, status = data[int(start) : last + 1], 206
        self._send(data, status, facts)

    def _problem(self, status: int, code: str) -> None:
        text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
        self._send(text.encode(), status, {"x-ms-error-code": code, "Content-Type": "application/xml"})

    def _send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), "x-ms-version": "2021-12-02", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None: ...


def _etag(data: bytes) -> str:
    return f"0x{zlib.crc32(data):X}"


class AzureServer(ThreadingHTTPServer):
    """`containers`: blobs by container; `public`: those that anybody may read; `asked`: the paths asked for.

    `refusal`: the code of Azure's that a request without the right gets.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.containers: dict[str, dict[str, bytes]] = {}
        self.public: set[str] = set()
        self.asked: list[str] = []
        self.refusal = "AuthenticationFailed"

    @property
    def endpoint(self) -> str:
        """As Azurite's: the account is the first part of the path."""
        return f"http://127.0.0.1:{self.server_port}/{ACCOUNT}"


def azure_server() -> AbstractContextManager[AzureServer]:
    """A running stand-in on a free port of this machine."""
    return serving(AzureServer())
