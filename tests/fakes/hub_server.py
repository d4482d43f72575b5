"""A stand-in for the Hugging Face Hub: one model or dataset, served as the Hub's library asks for it."""

import base64
import hashlib
import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.fakes.serving import serving

SHA = "0123456789abcdef0123456789abcdef01234567"


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        server: Any = self.server
        path = unquote(self.path.partition("?")[0])
        server.asked.append((self.command, path, self.headers.get("Authorization", "")))
        about, _, _ = path.removeprefix(f"/api/{server.kind}s/").partition("/revision/")
        if path.startswith(f"/api/{server.kind}s/") and about == server.repo:
            known = tuple(f"Bearer {token}" for token in (server.token, server.writer) if token)
            if server.token and self.headers.get("Authorization", "") not in known:
                self._send(b"{}", 401, headers={"X-Error-Code": "GatedRepo"})
                return
            self._send(json.dumps(self._about(server)).encode())
            return
        place = server.repo if server.kind == "model" else f"datasets/{server.repo}"
        name = path.removeprefix(f"/{place}/resolve/{server.sha}/")
        if name in server.files:
            data = server.files[name]
            extra = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": server.sha}
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            server.fetched.append((name, start))
            if start and server.cut:
                self._send(b"{}", 410)  # the line stays broken
                return
            if start:
                extra["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._send(data[start:], 206 if start else 200, body=body, headers=extra, cut=server.cut.get(name, 0))
            return
        self._send(b'{"error": "none"}', 404, headers={"X-Error-Code": "RepoNotFound"})

    def do_POST(self) -> None:
        server: Any = self.server
        path = unquote(self.path.partition("?")[0])
        server.asked.append((self.command, path, self.headers.get("Authorization", "")))
        raw = self._body()
        said = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if said not in (server.writer, server.token) or not said:
            self._send(b'{"error": "Invalid token"}', 401)
        elif path.endswith("/objects/batch"):
            self._send(json.dumps({"transfer": "basic", "objects": self._places(json.loads(raw))}).encode())
        elif said != server.writer:
            self._send(b'{"error": "You may only read"}', 403)
        else:
            self._write(server, path, raw)

    def _write(self, server: Any, path: str, raw: bytes) -> None:
        """What a Hub does with a commit: large files went to a store before, small ones come inside it."""
        if path == "/api/repos/create":
            wanted = json.loads(raw)
            name = f"{wanted.get('organization') or server.repo.partition('/')[0]}/{wanted['name']}"
            if name == server.repo:
                self._send(json.dumps({"url": f"{server.url}/{name}"}).encode(), 409)
                return
            server.repo, server.private, server.files = name, wanted.get("visibility") == "private", {}
            self._send(json.dumps({"url": f"{server.url}/{name}"}).encode())
        elif path == "/api/validate-yaml":
            self._send(b'{"errors": [], "warnings": []}')
        elif path == f"/api/models/{server.repo}/preupload/main":
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(raw)["files"]
            ]
            self._send(json.dumps({"files": modes}).encode())
        elif path == f"/api/models/{server.repo}/commit/main":
            for line in map(json.loads, raw.splitlines()):
                told = line["value"]
                if line["key"] == "header":
                    server.commits.append(told["summary"])
                elif line["key"] == "file":
                    server.files[told["path"]] = base64.b64decode(told["content"])
                elif line["key"] == "lfsFile":
                    server.files[told["path"]] = server.store[told["oid"]]
            url = f"{server.url}/{server.repo}/commit/{SHA}"
            self._send(json.dumps({"commitUrl": url, "commitOid": SHA}).encode())
        else:
            server.asked.append(("UNKNOWN", path, ""))
            self._send(b'{"error": "none"}', 404)

    def _places(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        server: Any = self.server
        return [
            {**one, "actions": {"upload": {"href": f"{server.url}/store/{one['oid']}"}}} for one in wanted["objects"]
        ]

    def do_PUT(self) -> None:
        server: Any = self.server
        server.store[self.path.rpartition("/")[2]] = self._body()
        self._send(b"")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _about(self, server: Any) -> dict[str, Any]:
        files = [
            {"rfilename": name, "size": len(data), "blobId": hashlib.sha1(data).hexdigest()}
            for name, data in server.files.items()
        ]
        return {
            "id": server.repo,
            "modelId": server.repo,
            "sha": server.sha,
            "siblings": files,
            "private": server.private,
            "tags": [],
        }

    def _send(
        self, data: bytes, status: int = 200, body: bool = True, headers: dict[str, str] | None = None, cut: int = 0
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(data[:cut] if cut else data)
            self.close_connection = self.close_connection or bool(cut)

    def log_message(self, format: str, *args: Any) -> None: ...


class HubServer(ThreadingHTTPServer):
    """`files`: what the repository holds; `token`: what it takes to see it; `asked`: (verb, path, authorization).

    `fetched`: (name, first byte) of each download; `cut`: the bytes of a file after which the line breaks.
    `sha`: the newest commit, of which the files are.
    `writer`: the token that may make a repository (in place of this one) and commit to it; `commits`: their titles.
    """

    daemon_threads = True

    def __init__(self, repo: str, files: dict[str, bytes], token: str = "", kind: str = "model") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repo, self.files, self.token, self.kind = repo, files, token, kind
        self.asked: list[tuple[str, str, str]] = []
        self.fetched: list[tuple[str, int]] = []
        self.sha = SHA
        self.cut: dict[str, int] = {}
        self.writer, self.private = "", False
        self.commits: list[str] = []
        self.store: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def hub_server(
    repo: str, files: dict[str, bytes], token: str = "", kind: str = "model"
) -> AbstractContextManager[HubServer]:
    """A running stand-in; `kind`: model or dataset."""
    return serving(HubServer(repo, files, token, kind))
