"""A stand-in for the Hugging Face Hub: one model, served as the Hub's library asks for it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

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
        about, _, _ = path.removeprefix("/api/models/").partition("/revision/")
        if path.startswith("/api/models/") and about == server.repo:
            if server.token and self.headers.get("Authorization") != f"Bearer {server.token}":
                self._send(b"{}", 401, headers={"X-Error-Code": "GatedRepo"})
                return
            self._send(json.dumps(self._about(server)).encode())
            return
        name = path.removeprefix(f"/{server.repo}/resolve/{SHA}/")
        if name in server.files:
            data = server.files[name]
            extra = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": SHA}
            self._send(data, body=body, headers=extra)
            return
        self._send(b'{"error": "none"}', 404, headers={"X-Error-Code": "RepoNotFound"})

    def _about(self, server: Any) -> dict[str, Any]:
        files = [{"rfilename": name, "size": len(data)} for name, data in server.files.items()]
        return {"id": server.repo, "modelId": server.repo, "sha": SHA, "siblings": files, "private": False, "tags": []}

    def _send(self, data: bytes, status: int = 200, body: bool = True, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None: ...


class HubServer(ThreadingHTTPServer):
    """`files`: what the repository holds; `token`: what it takes to see it; `asked`: (verb, path, authorization)."""

    daemon_threads = True

    def __init__(self, repo: str, files: dict[str, bytes], token: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repo, self.files, self.token = repo, files, token
        self.asked: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def hub_server(repo: str, files: dict[str, bytes], token: str = "") -> Iterator[HubServer]:
    """A running one."""
    server = HubServer(repo, files, token)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
