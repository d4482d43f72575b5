"""A PostgreSQL for one test or benchmark, from Debian's programs; it may be stopped, frozen and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil

from benchmarks.studio import free_port

_DEBIAN = Path("/usr/lib/postgresql")
_QUICK = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c listen_addresses=127.0.0.1"


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, the newest version's."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return max((path.parent for path in _DEBIAN.glob("*/bin/initdb")), default=None)


def _as_unprivileged_user(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root: then its own user runs it."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


class PostgresProcess:
    """A server of its own folder, which a test may stop, freeze and start again."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="lrl-pg-", dir="/tmp"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        self._data, self._port = self._folder / "data", free_port()
        self.server_url = f"postgresql+psycopg://loreel@127.0.0.1:{self._port}"
        self.url = f"{self.server_url}/postgres"
        self._run("initdb", "-U", "loreel", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        options = f"{_QUICK} -p {self._port} -k {self._folder}"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """As a crash would: connections break."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def freeze(self) -> None:
        """Its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def delete(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, number: int) -> None:
        main = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        for process in (main, *main.children()):
            process.send_signal(number)

    def _run(self, program: str, *options: str) -> None:
        command = _as_unprivileged_user(str(self._programs / program), "-D", str(self._data), *options)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder)
