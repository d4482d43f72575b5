"""A proxy whose connections break where a test says, to put in front of a stand-in of any server."""

import re
import select
import socket
import socketserver
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote

from tests.fakes.serving import serving

_RANGE = re.compile(rb"\r\n(?:x-ms-)?range: *bytes=(\d+)-", re.IGNORECASE)


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy: Any = self.server
        if proxy.bytes_left == 0 or proxy.refused_connections > 0:
            proxy.refused_connections -= 1
            return
        with socket.create_connection(("127.0.0.1", proxy.target)) as server:
            forwarded = 0
            while True:
                for end in select.select([self.request, server], [], [])[0]:
                    try:
                        block = end.recv(2**14)
                    except OSError:
                        return
                    if not block:
                        return
                    if end is self.request:
                        proxy.record(block)
                        server.sendall(block)
                        continue
                    allowed = min(proxy.bytes_per_connection - forwarded, proxy.bytes_left)
                    self.request.sendall(block[:allowed])
                    forwarded += len(block)
                    proxy.bytes_left -= min(allowed, len(block))
                    if len(block) >= allowed:
                        proxy.on_break()
                        return


class BreakingProxy(socketserver.ThreadingTCPServer):
    """Leads to a server of this machine.

    Attributes:
        bytes_per_connection: bytes from the server after which a connection breaks.
        bytes_left: bytes after which nothing is forwarded any more.
        refused_connections: so many of the next connections end before a byte.
        requested: (path, first byte) of each GET that was forwarded.
        on_break: called when a connection breaks.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = target
        self.requested: list[tuple[str, int]] = []
        self.repair()

    def repair(self) -> None:
        """Forwards everything from now on, and forgets what was requested."""
        self.bytes_per_connection, self.bytes_left, self.refused_connections = 2**62, 2**62, 0
        self.on_break: Callable[[], object] = lambda: None
        self.requested.clear()

    def record(self, block: bytes) -> None:
        if block.startswith(b"GET "):
            start = _RANGE.search(block)
            path = unquote(block.split(b" ", 2)[1].decode()).partition("?")[0]
            self.requested.append((path, int(start[1]) if start else 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None: ...


def breaking_proxy(target: int) -> AbstractContextManager[BreakingProxy]:
    """A running proxy to a port of this machine."""
    return serving(BreakingProxy(target))
