"""Which processes make up Loreel, and with which command and environment each is started."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

from orchestrator.domain.numbers import parse_id
from orchestrator.domain.processes import SUPERVISED
from orchestrator.settings import ROOT, Settings
from orchestrator.stack.children import Child, Log
from orchestrator.stack.frontend import web_environment
from orchestrator.stack.node import node_environment, npm_registry
from orchestrator.stack.redis_server import (
    FLOOR,
    Version,
    data_version,
    find_binary,
    move_aside,
    server_command,
    server_version,
)

# The embedded Redis never forks for a snapshot, so that the warning about overcommit does not apply.
_REDIS_NOISE = ("Memory overcommit must be enabled", "signal-handler", "ready to exit")


def _environment() -> dict[str, str]:
    """For every Python child: unbuffered output, and the variable which says that Redis and workers are supervised."""
    return os.environ | {"PYTHONUNBUFFERED": "1", SUPERVISED: "1"}


def redis(settings: Settings, log: Log) -> Child:
    """The embedded Redis, in the C locale: newer servers do not start in a locale that is not installed."""
    store = settings.data_dir / "redis"
    written_by = data_version(store)
    binary = find_binary(settings.redis_server, written_by=written_by)
    version = server_version(binary) or FLOOR
    if version < written_by and (aside := move_aside(store)):
        log.line(
            "loreel",
            f"The Redis here ({_dotted(version)}) is older than the one that wrote its files ({_dotted(written_by)}): "
            f"they are kept in {aside.name}, and the queue is filled again from the database.",
        )
    command = server_command(binary, settings)
    return Child("redis", command, os.environ | {"LC_ALL": "C"}, str(ROOT), log, grace_s=10.0, suppressed=_REDIS_NOISE)


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def web(settings: Settings, log: Log) -> Child:
    """The built app on one port."""
    env = _environment() | web_environment()
    return Child("web", [sys.executable, "-m", "orchestrator.stack.web"], env, str(ROOT), log)


def dev_web(settings: Settings, log: Log) -> Child:
    """`reflex run` with hot reload: pages on the port, the backend 5000 above it (3000 and 8000)."""
    backend_port = settings.port + 5000 if settings.port < 60000 else settings.port - 5000
    env = _environment() | node_environment() | {"LOREEL_DEV": "true", "REFLEX_BACKEND_PORT": str(backend_port)}
    if registry := npm_registry(env):
        env["NPM_CONFIG_REGISTRY"] = registry
    command = [sys.executable, "-m", "reflex", "run", "--frontend-port", str(settings.port)]
    return Child("web", [*command, "--backend-port", str(backend_port)], env, str(ROOT), log)


def job_processes(settings: Settings, log: Log) -> list[Child]:
    """The controller and one worker; with several GPUs a worker for each `worker_gpus` of them."""
    made = [Child("controller", [sys.executable, "-m", "jobs.controller"], _environment(), str(ROOT), log)]
    for number, arguments in enumerate(shares(gpu_count(), settings.worker_gpus)):
        name = "worker" if number == 0 else f"worker-{number + 1}"
        made.append(Child(name, [sys.executable, "-m", "jobs.worker", *arguments], _environment(), str(ROOT), log))
        made[-1].grace_s = settings.stop_grace_s + 5.0
    return [child for child in made if find_spec(child.command[2]) is not None]


def shares(gpus: int, each: int) -> list[list[str]]:
    """The arguments of each worker: which GPUs it owns; the last one owns what is left over."""
    if gpus <= 1:
        return [[]]
    each = each or gpus
    parts = [(str(first), str(min(each, gpus - first))) for first in range(0, gpus, each)]
    made = [["--device", "gpu", "--index", first, "--gpus", count] for first, count in parts]
    return [made[0], *([*arguments, "--no-prep"] for arguments in made[1:])]


def gpu_count() -> int:
    """GPUs that a worker here can train on; 0 without a driver, which is asked in a process of its own."""
    if not shutil.which("nvidia-smi"):
        return 0
    command = [sys.executable, "-m", "jobs.telemetry.device"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    return parse_id(output)
