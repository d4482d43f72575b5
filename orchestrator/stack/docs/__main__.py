"""`./loreel docs`: builds the documentation and serves it on this machine; `--build` only builds."""

import argparse
import os
import socket
import sys
import time

from orchestrator.settings import ROOT
from orchestrator.stack.children import Log
from orchestrator.stack.docs.site import CONFIG, build, generator_environment
from orchestrator.stack.errors import StackError

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 8100, 50


def free_port() -> int:
    """The first free port from 8100 on. Raises StackError when all are taken."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise StackError(f"All ports from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are taken: end what listens there.")


def serve(log: Log) -> None:
    """Replaces this process by MkDocs' own server, which rebuilds the pages whenever a source changes."""
    port = free_port()
    command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--livereload", "--config-file", CONFIG]
    log.line("loreel", f"Documentation at http://{HOST}:{port}/. Changed pages reload. Ctrl-C stops it.")
    os.chdir(ROOT)
    os.execve(sys.executable, [*command, "--dev-addr", f"{HOST}:{port}"], generator_environment())


def main(arguments: list[str] | None = None) -> int:
    """`python -m orchestrator.stack.docs [--build] [--strict]`."""
    parser = argparse.ArgumentParser(prog="./loreel docs", description=__doc__)
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--strict", action="store_true", help="a broken link fails the build")
    chosen = parser.parse_args(arguments)
    log, began = Log(), time.monotonic()
    try:
        if chosen.build or chosen.strict:
            note = "" if build(chosen.strict) else " (nothing to do)"
            log.line("loreel", f"Documentation{note}: {time.monotonic() - began:.1f} s")
        if not chosen.build:
            serve(log)
        return 0
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
