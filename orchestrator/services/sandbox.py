"""Starts the programs that open untrusted files or connect to untrusted servers, each in a process of its own.

Such a process inherits no secret: its environment holds the variables listed here and nothing else. It has a time
limit, and it dies when the process that started it dies. Its limits on memory, processor time, files and open
descriptors are its own business, before it opens anything: `jobs/sandbox/limits.py`.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from orchestrator.domain.processes import PARENT_PID
from orchestrator.settings import ROOT

_INHERITED = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_SMALL_PICTURES = {
    # Memory that one picture used stays for the next one, and no threads for matrix products.
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_TOP_PAD_": str(2**22),
}
_CLOUD_CLIENTS = {
    # Clients use the given credentials only, never those of the machine they run on.
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_GCE_CHECK": "true",
    # gcsfs would speak gRPC otherwise, whose connections Python's audit hook (jobs/fetch/guard.py) does not see.
    "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
    "HF_HUB_OFFLINE": "0",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


@dataclass(frozen=True, slots=True)
class Program:
    """What `python -m` runs, and under which conditions."""

    module: str
    limit_s: float
    """Seconds that `run` waits; who uses `start` watches the time itself."""
    variables: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    """Variables that it gets from this process in addition to `_INHERITED`, where they are set."""


class Tool(Enum):
    """Every program of the sandbox."""

    PROBE = Program("jobs.sandbox.probe_clips", 150.0, _SMALL_PICTURES)
    """Reads facts, film strip and fingerprint of clips: one JSON line in, one out, until stdin ends."""
    PREVIEW = Program("jobs.sandbox.make_preview", 150.0)
    """Writes a copy of a clip that browsers play."""
    FRAMES = Program("jobs.sandbox.draw_frames", 150.0, {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"})
    """Draws the frames that a model gets of a clip."""
    JOIN_FRAMES = Program("jobs.sandbox.join_frames", 150.0)
    """Writes pictures as the frames of a clip."""
    MAKE_FILMS = Program("jobs.sandbox.make_films", 4_000.0)
    """Writes folders of numbered pictures as films: one JSON line in, one out, until stdin ends."""
    PARQUET_ROWS = Program("jobs.sandbox.read_parquet", 150.0)
    """Prints the rows of a Parquet file as JSON lines."""
    XLSX_ROWS = Program("jobs.sandbox.read_xlsx", 150.0)
    """Prints the sheets of a workbook as JSON lines."""
    PARQUET_CLIPS = Program("jobs.sandbox.extract_parquet_clips", 4_000.0)
    """Writes the clips inside a Parquet file as files."""
    FETCH = Program("jobs.fetch", 40.0, _CLOUD_CLIENTS, (*_CERTIFICATES, "HF_ENDPOINT"))
    """Downloads, uploads to the Hub, or asks the Hub for a size; the limit is for a question."""


class TimeLimitReached(Exception):
    """The program was killed because it took too long."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit code (negative: the signal) and what it printed."""

    code: int
    output: bytes


def environment(tool: Tool, home: Path | None = None) -> dict[str, str]:
    """All the variables that the program gets.

    Args:
        home: a folder for what libraries cache; without it they get no home at all.
    """
    program = tool.value
    inherited = (*_INHERITED, *program.inherited)
    variables = {name: os.environ[name] for name in inherited if name in os.environ}
    variables |= {"PYTHONPATH": str(ROOT), PARENT_PID: str(os.getpid()), **program.variables}
    return variables | ({"HOME": str(home), "HF_HOME": str(home / ".hub")} if home else {})


def start(tool: Tool, *arguments: str, home: Path | None = None) -> subprocess.Popen[bytes]:
    """Starts the program with pipes for stdin and stdout. End it with `end`.

    The thread that calls this must live for as long as the program: Linux ties the child to the thread.
    """
    return subprocess.Popen(
        [sys.executable, "-m", tool.value.module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(tool, home),
        cwd=ROOT,
        start_new_session=True,
    )


def run(tool: Tool, *arguments: str, request: bytes = b"", home: Path | None = None) -> Finished:
    """Runs the program to its end.

    Args:
        request: what it reads from stdin.

    Raises:
        TimeLimitReached: it took longer than the program's limit, and was killed.
    """
    child = start(tool, *arguments, home=home)
    try:
        output, _ = child.communicate(request, timeout=tool.value.limit_s)
    except subprocess.TimeoutExpired:
        raise TimeLimitReached(tool.name) from None
    finally:
        end(child)
    return Finished(child.returncode, output)


def end(child: subprocess.Popen[bytes]) -> None:
    """Kills the program if it still runs, and closes its pipes."""
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
