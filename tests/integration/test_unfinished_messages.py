"""A websocket whose message never ends is closed, and its memory is free again."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.granian_server import granian_server

pytestmark = pytest.mark.slow
PART = 4 * 2**20
PARTS = 5
SOCKETS = 6
HANDSHAKE = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture
def server(home: Path) -> Iterator[tuple[int, psutil.Process]]:
    """(port, the process) of a server that gives a socket 3 s for the answer to its ping."""
    with granian_server("tests.fakes.pinging_server:create", home, "--workers-kill-timeout", "3") as running:
        yield running


def memory(process: psutil.Process) -> int:
    return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])


def frame(first: bool) -> bytes:
    """A masked fragment of a text that is not the last one."""
    return bytes([1 if first else 0, 0x80 | 127]) + PART.to_bytes(8, "big") + bytes(4) + b"x" * PART


def test_messages_that_never_end_are_closed_and_freed(server: tuple[int, psutil.Process]) -> None:
    port, process = server
    before, most = memory(process), 0
    lines = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(SOCKETS)]
    try:
        for line in lines:
            line.sendall(HANDSHAKE.encode())
            assert b" 101 " in line.recv(200)
            for part in range(PARTS):
                line.sendall(frame(part == 0))
            most = max(most, memory(process) - before)
        assert most > 3 * PART * PARTS, "the messages are kept as they arrive"
        for line in lines:
            while line.recv(65536):
                pass
        deadline = time.monotonic() + 60
        while memory(process) - before > most / 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert memory(process) - before <= most / 2, "what an allocator keeps for later is no message"
    finally:
        for line in lines:
            line.close()
