"""An upload of 2 GB in chunks and in one request: speed against `cp`, memory of the web process, other requests."""

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil

from benchmarks.studio import Studio, studio
from benchmarks.target import Target
from benchmarks.tus import PAGE_CHUNK, Line, begin, offset_of, sign_in

TARGETS: dict[str, Target] = {
    "page_against_cp": {"min": 0.5},
    "api_against_cp": {"min": 0.5},
    "web_growth_mb": {"max": 50.0},
    "slowest_other_ms": {"max": 200.0},
}
BYTES = 2 * 2**30
ROUNDS = 5
_PIECE = 2**24
_REST_S = 6.0  # the kernel gives free pages back after two
_LOOK_S, _ASK_S = 0.02, 0.05
_RECEIVER = """
import socket, sys
server, room = socket.socket(fileno=int(sys.argv[1])), memoryview(bytearray(2**20))
with server.accept()[0] as line, open(sys.argv[2], "wb", buffering=0) as file:
    while count := line.recv_into(room):
        file.write(room[:count])
    line.sendall(b".")
"""
_BARE_APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
"""


def _make(path: Path) -> Path:
    with path.open("wb") as file:
        for _ in range(BYTES // _PIECE):
            file.write(os.urandom(_PIECE))
    return path


def _copy(source: Path, target: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["cp", "--reflink=never", str(source), str(target)], check=True)
    took = time.perf_counter() - began
    target.unlink()
    return took


def _copy_to_disk(source: Path, target: Path) -> float:
    """A copy that survives a power cut."""
    began = time.perf_counter()
    subprocess.run(["cp", "--reflink=never", str(source), str(target)], check=True)
    subprocess.run(["sync", str(target)], check=True)
    took = time.perf_counter() - began
    target.unlink()
    return took


def _through_socket(source: Path, target: Path) -> float:
    """The least that a receiver can do: bytes from a socket of this machine into a file, in another process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver = subprocess.Popen(
            [sys.executable, "-c", _RECEIVER, str(server.fileno()), str(target)], pass_fds=[server.fileno()]
        )
        with socket.create_connection(server.getsockname()) as line, source.open("rb") as file:
            began = time.perf_counter()
            line.sendfile(file)
            line.shutdown(socket.SHUT_WR)
            line.recv(1)
            took = time.perf_counter() - began
    receiver.wait()
    assert target.stat().st_size == BYTES
    target.unlink()
    return took


def _through_bare_server(source: Path, folder: Path) -> float:
    """The web's own HTTP server with an app that throws the body away."""
    (folder / "bare_app.py").write_text(_BARE_APP)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen([*command, "bare_app:app"], cwd=folder)
    try:
        line = _wait_for(port)
        head = f"POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: {BYTES}\r\n\r\n"
        with line, source.open("rb") as file:
            began = time.perf_counter()
            line.sendall(head.encode())
            line.sendfile(file)
            assert line.recv(64).startswith(b"HTTP/1.1 200")
            return time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> socket.socket:
    until = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _send(client: httpx.Client, name: str, source: Path, chunk: int) -> float:
    place, line = begin(client, name, BYTES), Line(client)
    began = time.perf_counter()
    for offset in range(0, BYTES, chunk):
        assert line.send(place, source, offset, min(chunk, BYTES - offset)) == 204
    took = time.perf_counter() - began
    assert offset_of(client, place) == BYTES
    client.delete(place.removeprefix("/api/v1"), headers={"Tus-Resumable": "1.0.0"}).raise_for_status()
    return took


class _LoadProbe:
    """What happens meanwhile: the web's largest memory, and how long other requests take."""

    def __init__(self, running: Studio, client: httpx.Client) -> None:
        web = psutil.Process(running.pids["web"])
        self._family = [web, *web.children(recursive=True)]
        self._client, self._over = client, threading.Event()
        self.before = self.most = self._memory()
        self.answers: list[float] = []

    def _memory(self) -> int:
        return sum(process.memory_info().rss for process in self._family)

    @contextmanager
    def watch(self) -> Iterator[None]:
        self._over.clear()
        threads = [threading.Thread(target=work) for work in (self._weigh, self._ask)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _weigh(self) -> None:
        while not self._over.wait(_LOOK_S):
            self.most = max(self.most, self._memory())

    def _ask(self) -> None:
        while not self._over.wait(_ASK_S):
            began = time.perf_counter()
            self._client.get("/datasets").raise_for_status()
            self.answers.append((time.perf_counter() - began) * 1000)


def run() -> dict[str, float]:
    """In each round `cp`, the page's way and the API's; first each from rest, then each on the other's heels.

    A virtual machine may give its free memory back to its host: a moment later a file is copied several times slower
    than right after another one was deleted. So both states are measured, and the targets are held against the first,
    in which a person finds the machine.
    """
    with studio() as running, closing(sign_in(running.url)) as client:
        source, copy = _make(running.data_dir / "source.bin"), running.data_dir / "copy.bin"
        for _ in range(20):
            client.get("/datasets").raise_for_status()  # warm
        probe = _LoadProbe(running, client)

        def rounds(rest_s: float) -> dict[str, float]:
            took: dict[str, list[float]] = {"cp": [], "page": [], "api": []}
            for i in range(ROUNDS):
                time.sleep(rest_s)
                took["cp"].append(_copy(source, copy))
                for name, chunk in (("page", PAGE_CHUNK), ("api", BYTES)):
                    time.sleep(rest_s)
                    with probe.watch():
                        took[name].append(_send(client, f"{name} {rest_s:g} {i}", source, chunk))
            return {name: statistics.median(each) for name, each in took.items()}

        rested, at_once = rounds(_REST_S), rounds(0)
        ceilings = {
            "cp_to_disk": min(_copy_to_disk(source, copy) for _ in range(2)),
            "bare_socket": min(_through_socket(source, copy) for _ in range(2)),
            "bare_server_no_disk": min(_through_bare_server(source, running.data_dir) for _ in range(2)),
        }
    figures: dict[str, float] = {}
    for state, took in (("", rested), ("_at_once", at_once)):
        figures |= {f"{name}{state}_mb_per_s": BYTES / 1e6 / each for name, each in took.items()}
        figures |= {f"{name}_against_cp{state}": took["cp"] / took[name] for name in ("page", "api")}
    figures |= {f"{name}_mb_per_s": BYTES / 1e6 / least for name, least in ceilings.items()}
    figures |= {"web_growth_mb": (probe.most - probe.before) / 2**20, "slowest_other_ms": max(probe.answers)}
    figures["other_ms"] = statistics.median(probe.answers)
    return {name: round(value, 2) for name, value in figures.items()}
