"""A line that breaks, before any stand-in of a server: it carries bytes both ways and ends where a test says."""

import re
import select
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

_RANGE = re.compile(rb"\r\n(?:x-ms-)?range: *bytes=(\d+)-", re.IGNORECASE)


class _Carrier(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        line: Any = self.server
        if line.left == 0 or line.lost > 0:
            line.lost -= 1
            return
        with socket.create_connection(("127.0.0.1", line.target)) as far:
            carried = 0
            while True:
                for end in select.select([self.request, far], [], [])[0]:
                    try:
                        block = end.recv(2**14)
                    except OSError:
                        return
                    if not block:
                        return
                    if end is self.request:
                        line.note(block)
                        far.sendall(block)
                        continue
                    most = min(line.each - carried, line.left)
                    self.request.sendall(block[:most])
                    carried += len(block)
                    line.left -= min(most, len(block))
                    if len(block) >= most:
                        line.broken()
                        return


class ThinLine(socketserver.ThreadingTCPServer):
    """Leads to a server of this machine.

    `each`: bytes from the server after which one connection ends; `left`: bytes after which none is carried any more;
    `lost`: so many of the next connections end before a byte;
    `asked`: (path, first byte) of each GET that went through; `broken`: called where it ends.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Carrier)
        self.target = target
        self.asked: list[tuple[str, int]] = []
        self.mend()

    def mend(self) -> None:
        """From now on it carries everything; what was asked is forgotten."""
        self.each, self.left, self.lost = 2**62, 2**62, 0
        self.broken: Callable[[], object] = lambda: None
        self.asked.clear()

    def note(self, block: bytes) -> None:
        if block.startswith(b"GET "):
            start = _RANGE.search(block)
            path = unquote(block.split(b" ", 2)[1].decode()).partition("?")[0]
            self.asked.append((path, int(start[1]) if start else 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None: ...


@contextmanager
def thin_line(target: int) -> Iterator[ThinLine]:
    """A running one, to a port of this machine."""
    line = ThinLine(target)
    thread = threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        line.shutdown()
        line.server_close()
