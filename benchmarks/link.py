"""A network link that can be cut: between namespaces where root may make them, else a forwarder that falls silent.

Both look the same to a program: its connections stay open and nothing comes through them any more.
"""

import contextlib
import os
import select
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.studio import free_port

Target = tuple[str, int] | Path
"""A TCP address, or the path of a Unix socket."""


@dataclass
class Link:
    """The way of a process to the servers, for as long as it is not cut.

    Attributes:
        command: what stands before the command of a process behind the link.
        host: the address at which that process finds the forwarded servers.
    """

    name: str
    host: str = "127.0.0.1"
    command: tuple[str, ...] = ()
    _down: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def uses_namespace(self) -> bool:
        return bool(self.command)

    def cut(self) -> None:
        """Nothing comes through from now on, in either direction."""
        self._down.set()
        if self.uses_namespace:
            _ip("link", "set", _outside(self.name), "down")

    def restore(self) -> None:
        """The link works again."""
        if self.uses_namespace:
            _ip("link", "set", _outside(self.name), "up")
        self._down.clear()

    def forward(self, target: Target) -> int:
        """A port of `host` that leads to the target."""
        port = free_port()
        server = socket.create_server((self.host, port))
        threading.Thread(target=self._accept, args=(server, target), daemon=True).start()
        return port

    def _accept(self, server: socket.socket, target: Target) -> None:
        with server:
            server.settimeout(0.2)
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = server.accept()
                    threading.Thread(target=self._carry, args=(client, target), daemon=True).start()

    def _carry(self, client: socket.socket, target: Target) -> None:
        """Carries bytes both ways; while the link is down they wait, as in a network that loses every packet."""
        kind = socket.AF_UNIX if isinstance(target, Path) else socket.AF_INET
        with client, socket.socket(kind, socket.SOCK_STREAM) as upstream, contextlib.suppress(OSError):
            upstream.connect(str(target) if isinstance(target, Path) else target)
            other = {client: upstream, upstream: client}
            while not self._over.is_set():
                readable = select.select([client, upstream], [], [], 0.2)[0]
                if self._down.is_set():
                    self._down_wait()
                    continue
                for side in readable:
                    if not (block := side.recv(65_536)):
                        return
                    other[side].sendall(block)

    def _down_wait(self) -> None:
        while self._down.is_set() and not self._over.wait(0.05):
            pass


@contextmanager
def link(name: str, number: int) -> Iterator[Link]:
    """A link for one host; `number` (0 to 60) makes its addresses differ from those of others."""
    with contextlib.ExitStack() as undo:
        made = _namespace(name, number, undo) if _may_make_namespaces() else Link(name)
        undo.callback(made._over.set)
        yield made


def _namespace(name: str, number: int, undo: contextlib.ExitStack) -> Link:
    outer, inner = f"10.213.{number}.1", f"10.213.{number}.2"
    _ip("netns", "add", name)
    undo.callback(_ip, "netns", "del", name)
    _ip("link", "add", _outside(name), "type", "veth", "peer", "name", "loreel0", "netns", name)
    _ip("addr", "add", f"{outer}/24", "dev", _outside(name))
    _ip("link", "set", _outside(name), "up")
    for command in (("addr", "add", f"{inner}/24", "dev", "loreel0"), ("link", "set", "loreel0", "up")):
        _ip("-n", name, *command)
    _ip("-n", name, "link", "set", "lo", "up")
    return Link(name, outer, ("ip", "netns", "exec", name))


def _may_make_namespaces() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = f"lrl-probe-{os.getpid()}"
    try:
        _ip("netns", "add", probe)
        _ip("-n", probe, "link", "add", "loreel0", "type", "veth", "peer", "name", "loreel1")
    except subprocess.CalledProcessError:
        return False
    finally:
        subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return True


def _outside(name: str) -> str:
    """The name of this side's interface: at most 15 characters."""
    return f"v{name}"[:15]


def _ip(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, capture_output=True)
