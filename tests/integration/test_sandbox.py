"""Programs that open untrusted files get no secret, live no longer than their parent, and take no more than allowed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.services import sandbox
from orchestrator.services.fetching import fetch_request
from orchestrator.services.sandbox import Tool, run, start
from orchestrator.settings import ROOT
from tests.fakes.videos import draw_clip
from tests.studio import until

SECRETS = {
    "LOREEL_SECRET_KEY": "canary-secret-key",
    "LOREEL_DATABASE_URL": "postgresql://u:canary-database@h/d",
    "DATABASE_URL": "postgresql://u:canary-plain-database@h/d",
    "LOREEL_SMTP_PASSWORD": "canary-smtp",
    "LOREEL_REDIS_URL": "redis://:canary-redis@h",
    "AWS_SECRET_ACCESS_KEY": "canary-aws",
    "HF_TOKEN": "canary-hf",
    "SOME_API_KEY": "canary-other",
}
UNLIMITED = "unlimited"
LIMITED = ("Max cpu time", "Max file size", "Max address space", "Max open files", "Max core file size")


@contextmanager
def long_work(folder: Path, tool: Tool) -> Iterator[tuple[list[str], bytes]]:
    """Arguments and stdin with which the program is busy for long: it waits for bytes that never come, or encodes."""
    fifo = folder / "fifo"
    if tool is Tool.FETCH:
        with socket.create_server(("127.0.0.1", 0)) as server:
            source = {"type": "url", "url": f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4"}
            yield [], fetch_request(source, {}, folder, 10**6).pack()
    elif tool is Tool.FRAMES:
        os.mkfifo(folder / "config.json")
        request = {"model": str(folder), "clip": "a.mp4", "name": "a.mp4", "task": "classification", "data": {}}
        yield [], json.dumps(request).encode() + b"\n"
    elif tool is Tool.JOIN_FRAMES:
        os.mkfifo(fifo)
        yield [], json.dumps({"pictures": [str(fifo)], "target": "x", "fps": 2, "bytes": 10**6}).encode() + b"\n"
    elif tool is Tool.MAKE_FILMS:
        os.mkfifo(fifo)
        yield ["1000000"], json.dumps({"pictures": [str(fifo)], "target": "x", "fps": 2}).encode() + b"\n"
    elif tool is Tool.PROBE:
        yield [], b""
    elif tool is Tool.PREVIEW:
        clip = draw_clip(folder / "long.mp4", size=256, frames=600)
        yield [str(clip), str(folder / "copy.mp4")], b""
    else:
        os.mkfifo(fifo)
        yield [str(fifo), *([str(folder)] if tool is Tool.PARQUET_CLIPS else []), "1000"], b""


def soft_limits(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[0] for line in lines}


def limits_once_set(pid: int) -> dict[str, str]:
    """Once the program has lowered its memory, which it does before it opens anything."""
    return until(
        lambda: limits if (limits := soft_limits(pid))["Max address space"] != UNLIMITED else None,
        60,
        "the program sets its limits",
    )


@pytest.fixture
def private_urls_allowed(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("LOREEL_ALLOW_PRIVATE_URLS", "true")
    from orchestrator.settings import get_settings

    get_settings.cache_clear()


@pytest.mark.parametrize("tool", Tool)
def test_no_program_gets_a_secret(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    child = start(tool, home=tmp_path)
    try:
        # Empty for a moment after the start.
        environment = until(lambda: Path(f"/proc/{child.pid}/environ").read_bytes(), 5)
    finally:
        sandbox.end(child)
    assert b"PYTHONPATH=" in environment
    assert b"canary" not in environment


@pytest.mark.parametrize("tool", Tool)
def test_every_program_runs_under_limits_of_its_own(tool: Tool, tmp_path: Path, private_urls_allowed: None) -> None:
    with long_work(tmp_path, tool) as (arguments, stdin):
        child = start(tool, *arguments)
        try:
            assert child.stdin
            child.stdin.write(stdin)
            child.stdin.flush()
            limits_once_set(child.pid)
            time.sleep(0.1)  # the other limits follow at once
            limits = soft_limits(child.pid)
        finally:
            sandbox.end(child)
    # A download may take hours, and each clip that is probed gets its own processor time.
    endless = {"Max cpu time"} if tool in (Tool.FETCH, Tool.PROBE) else set()
    assert {name for name in LIMITED if limits[name] == UNLIMITED} == endless
    assert limits["Max core file size"] == "0"


STARTS_AND_WAITS = """
import sys, time
from orchestrator.services.sandbox import Tool, start
child = start(Tool[sys.argv[1]], *sys.argv[3:])
child.stdin.write(bytes.fromhex(sys.argv[2]))
child.stdin.flush()
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("tool", Tool)
def test_a_program_dies_with_a_parent_that_was_killed(tool: Tool, tmp_path: Path, private_urls_allowed: None) -> None:
    with long_work(tmp_path, tool) as (arguments, stdin):
        command = [sys.executable, "-c", STARTS_AND_WAITS, tool.name, stdin.hex(), *arguments]
        parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert parent.stdout
        pid = int(parent.stdout.readline())
        try:
            limits_once_set(pid)
            # Stopped, it cannot notice by itself that its pipes were closed: only the kernel can end it.
            os.kill(pid, signal.SIGSTOP)
            assert lives(pid)
            parent.kill()
            parent.wait()
            until(lambda: not lives(pid), 10, "the program is gone")
        finally:
            parent.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(Tool.PARQUET_ROWS, "_value_", sandbox.Program("jobs.sandbox.read_parquet", 0.5))
    with pytest.raises(sandbox.TimeLimitReached):
        run(Tool.PARQUET_ROWS, str(tmp_path / "fifo"), "1000")  # it would wait forever


UNDER_LIMITS = """
import signal, sys
from jobs.sandbox import limits
limits.apply(memory_bytes=2**30, file_bytes=2**20, cpu_s=1, open_files=32)
{}
"""


def under_limits(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", UNDER_LIMITS.format(code)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("bytearray(2**30)", "MemoryError"),
        ("open(sys.argv[0] and '/tmp/loreel-limits-' + str(signal.SIGXFSZ), 'wb').write(bytes(2**21))", "OSError"),
        ("files = [open('/dev/null') for _ in range(40)]", "OSError"),
    ],
    ids=["memory", "file size", "open files"],
)
def test_what_is_beyond_a_limit_raises(code: str, error: str, tmp_path: Path) -> None:
    done = under_limits(code.replace("/tmp/", f"{tmp_path}/"))
    assert done.returncode == 1
    assert error in done.stderr.splitlines()[-1]


def test_what_computes_for_too_long_is_killed() -> None:
    assert under_limits("while True: pass").returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_processor_time_is_counted_again_for_each_file() -> None:
    code = """
import time
for _ in range(3):
    limits.allow_cpu(1)
    end = time.process_time() + 0.9
    while time.process_time() < end: pass
print('done', flush=True)
limits.allow_cpu(1)
while True: pass
"""
    program = f"from jobs.sandbox import limits\nlimits.apply(memory_bytes=2**30, file_bytes=0)\n{code}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=60)
    assert done.stdout == b"done\n"
    assert done.returncode == -signal.SIGXCPU
