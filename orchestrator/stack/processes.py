"""Which processes make up Loreel, and with which command and environment each is started."""

import os
import sys
from importlib.util import find_spec

from orchestrator.settings import ROOT, Settings
from orchestrator.stack.children import Child, Log
from orchestrator.stack.frontend import web_environment
from orchestrator.stack.node import node_environment, npm_registry
from orchestrator.stack.redis_server import find_binary, server_command

# The embedded Redis never forks for a snapshot, which is what the overcommit warning is about.
_REDIS_CHATTER = ("Memory overcommit must be enabled", "signal-handler", "ready to exit")


def _environment() -> dict[str, str]:
    """What every Python child gets: unbuffered lines, and the mark that a supervisor looks after Redis and workers."""
    return os.environ | {"PYTHONUNBUFFERED": "1", "LOREEL_SUPERVISED": "1"}


def redis(settings: Settings, log: Log) -> Child:
    """The embedded Redis. A strange locale of the shell stops newer servers, so it gets the plain one."""
    command = server_command(find_binary(), settings)
    return Child("redis", command, os.environ | {"LC_ALL": "C"}, str(ROOT), log, grace_s=10.0, hush=_REDIS_CHATTER)


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


def workshop(settings: Settings, log: Log) -> list[Child]:
    """The controller and one worker."""
    made = [
        Child("controller", [sys.executable, "-m", "jobs.controller"], _environment(), str(ROOT), log),
        Child("worker", [sys.executable, "-m", "jobs.worker"], _environment(), str(ROOT), log),
    ]
    made[1].grace_s = settings.stop_grace_s + 5.0
    return [child for child in made if find_spec(child.command[2]) is not None]
