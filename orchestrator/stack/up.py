"""`./loreel up` and `./loreel dev`: prepares, starts everything, prints the address, and ends everything."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from orchestrator.private_files import keep_files_private
from orchestrator.release import note_release
from orchestrator.settings import Settings
from orchestrator.stack import checks, embedded_redis, frontend, migrate, probe, processes
from orchestrator.stack.children import Log
from orchestrator.stack.docs import site as docs
from orchestrator.stack.errors import StackError
from orchestrator.stack.supervisor import Supervisor

_T = TypeVar("_T")
MAX_FIRST_STARTS = 3
"""After a web process has ended this often before its first answer, it is not started again."""


class Stopped(Exception):
    """Ctrl-C came while we were still starting."""


class Run:
    """One start from the first check to the last process's end."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self.settings = settings
        self.log = log
        self.began = time.monotonic()
        self.supervisor = Supervisor(log, settings.data_dir / "run.json")

    def stage(self, what: str, do: Callable[[], _T]) -> _T:
        """Runs one step and logs how long it took."""
        began = time.monotonic()
        result = do()
        note = {True: "", False: " (nothing to do)"}.get(result, "") if isinstance(result, bool) else ""
        self.log.line("loreel", f"{what}{note}: {time.monotonic() - began:.1f} s")
        if self.supervisor.stopping.is_set():
            raise Stopped
        return result

    def build_docs(self) -> bool:
        """Builds the documentation; a studio whose documentation cannot be built starts all the same."""
        try:
            return docs.build()
        except StackError as refused:
            self.log.line("loreel", f"{refused}")
            return False

    def start_redis(self) -> None:
        """The embedded Redis, unless the settings name another."""
        if self.settings.redis_url:
            return
        embedded_redis.start(self.supervisor, self.settings, self.log)

    def start_job_processes(self) -> None:
        for child in processes.job_processes(self.settings, self.log):
            self.supervisor.start(child)

    def start_web(self, dev: bool) -> None:
        """Returns when the web answers; worker and controller start after it."""
        make = processes.dev_web if dev else processes.web
        child = self.supervisor.start(make(self.settings, self.log))

        def give_up() -> str:
            self.supervisor.tick()
            if self.supervisor.stopping.is_set():
                raise Stopped
            ended = child.failures >= MAX_FIRST_STARTS
            return "The web process ends whenever it is started: the lines above say why." if ended else ""

        probe.wait_for_web(self.settings, give_up, limit_s=300.0 if dev else 120.0)


def run(settings: Settings, log: Log, dev: bool = False, web_only: bool = False) -> int:
    """Starts, serves, stops. Returns the exit code. `web_only`: controller and workers run elsewhere."""
    checks.check_release_of_data(settings.data_dir)
    migrate.refuse_newer_file(settings)
    keep_files_private(settings.data_dir)
    checks.check_data_dir(settings.data_dir)
    lock = checks.lock_data_dir(settings.data_dir)
    checks.check_port(settings.host, settings.port)
    this = Run(settings, log)
    this.supervisor.listen_to_signals()
    try:
        # First what may refuse the data of a newer version, before Redis opens its own.
        this.stage("Database", lambda: migrate.migrate(settings))
        note_release(settings.data_dir)
        if not dev:
            this.stage("Pages", lambda: frontend.build(settings.dev))
        this.stage("Documentation", this.build_docs)
        this.stage("Redis", this.start_redis)
        this.stage("Web", lambda: this.start_web(dev))
        if not web_only:
            this.start_job_processes()
        took = time.monotonic() - this.began
        if not (settings.storage_dir / "demo" / "manifest.json").exists():
            log.line("loreel", "The demo datasets are being drawn, which takes some 20 s; their pages show progress.")
        log.line("loreel", f"Loreel is ready at {probe.address(settings)} ({took:.1f} s). Ctrl-C stops it.")
        this.supervisor.watch()
    except Stopped:
        pass
    finally:
        log.line("loreel", "Stopping")
        began = time.monotonic()
        this.supervisor.stop()
        log.line("loreel", f"Stopped: {time.monotonic() - began:.1f} s")
        lock.close()
    return 0


def main(arguments: list[str]) -> int:
    """`python -m orchestrator.stack.up [--dev] [--web-only]`."""
    try:
        settings = checks.read_settings()
        log = Log(settings.log_format == "json")
        return run(settings, log, dev="--dev" in arguments, web_only="--web-only" in arguments)
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
