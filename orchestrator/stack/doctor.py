"""`./loreel doctor`: one line for each thing that Loreel needs, and how to get what is missing."""

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from packaging.requirements import Requirement

from orchestrator.beats import read_beats
from orchestrator.domain import formatting
from orchestrator.settings import ROOT, Settings
from orchestrator.stack import checks, frontend, migrate, probe, redis_server
from orchestrator.stack.check import find_browser
from orchestrator.stack.docs import site as docs
from orchestrator.stack.errors import StackError
from orchestrator.stack.health import describe
from orchestrator.stack.node import node_environment, node_version


@dataclass(frozen=True)
class Finding:
    """The result of one check. `required` findings decide the exit code."""

    name: str
    ok: bool
    text: str
    required: bool = True


def _try(name: str, check: Callable[[], str], required: bool = True) -> Finding:
    try:
        return Finding(name, True, check(), required)
    except StackError as refused:
        return Finding(name, False, str(refused), required)


def _packages() -> str:
    pins = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line]
    wanted = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    wrong: list[str] = []
    for pin in wanted:
        try:
            found = importlib.metadata.version(pin.name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            found = "missing"
        if found == "missing" or found not in pin.specifier:
            wrong.append(f"{pin.name} {found}, wanted {pin.specifier}")
    if wrong:
        raise StackError(f"{'; '.join(wrong[:5])}: delete .venv/.installed and run `./loreel up`.")
    return f"{len(wanted)} as pinned"


def _torch() -> str:
    version = importlib.metadata.version("torch")
    if version.endswith("+cpu") and _gpu_names():
        raise StackError(f"{version} cannot use this machine's GPU: delete .venv and run `./loreel up`.")
    return version


def _redis(settings: Settings) -> str:
    if settings.redis_url:
        return "elsewhere, by LOREEL_REDIS_URL"
    binary = redis_server.find_binary(settings.redis_server)
    version = redis_server.server_version(binary)
    return f"{'.'.join(map(str, version or ()))} ({binary.name})"


def _data(settings: Settings) -> str:
    checks.check_release_of_data(settings.data_dir)
    checks.check_data_dir(settings.data_dir)
    return f"{settings.data_dir}, {formatting.size(shutil.disk_usage(settings.data_dir).free)} free"


def _port(settings: Settings) -> str:
    if probe.web_answers(settings):
        return f"Loreel answers at {probe.address(settings)}"
    checks.check_port(settings.host, settings.port)
    return f"{settings.host}:{settings.port} is free"


def _database(settings: Settings) -> str:
    migrate.refuse_newer_file(settings)
    return "up to date" if migrate.is_current(settings) else "will be brought up to date at the next start"


def _pages() -> str:
    if frontend.is_built():
        return "built"
    frontend.check_tools()
    return "will be built at the next start"


def _docs() -> str:
    return "built" if docs.is_built() else "will be built at the next start"


def _processes(kind: str) -> str:
    well, line = describe(kind, read_beats())
    text = " ".join(line.split()[2:])
    if not well:
        raise StackError(text)
    return text


def _gpu() -> str:
    names = _gpu_names()
    if not names:
        raise StackError("none found: training runs on the CPU, which suits the built-in tiny bases.")
    return ", ".join(names)


def _gpu_names() -> list[str]:
    try:
        import pynvml

        pynvml.nvmlInit()
        names = [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(pynvml.nvmlDeviceGetCount())
        ]
        pynvml.nvmlShutdown()
    except Exception:  # every failure of the driver means the same here: no GPU to use
        return []
    return [str(name) for name in names]


def _chromium() -> str:
    if path := find_browser():
        return path
    raise StackError("not installed; only the browser tests need it: install the package `chromium`.")


def _registries() -> str:
    """Asks pip and npm, so that the mirrors and proxies of their configuration count."""
    commands = {"pip": [sys.executable, "-m", "pip", "index", "versions", "pip"], "npm": ["npm", "ping"]}
    env, silent = node_environment(), []
    for name, command in commands.items():
        try:
            answered = subprocess.run(command, env=env, capture_output=True, timeout=20, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            answered = False
        if not answered:
            silent.append(name)
    if silent:
        raise StackError(f"no answer to {' and '.join(silent)}: only installing and changed packages need them.")
    return "pip's index and npm's registry answer"


def examine(settings: Settings) -> list[Finding]:
    """Runs every check once; changes nothing, except that it makes the data folder."""
    version = ".".join(map(str, sys.version_info[:3]))
    return [
        Finding("Python", sys.version_info >= (3, 11), version),
        _try("Packages", _packages),
        _try("PyTorch", _torch),
        _try("Node.js", node_version),
        _try("Redis", lambda: _redis(settings)),
        _try("Data folder", lambda: _data(settings)),
        _try("Port", lambda: _port(settings)),
        _try("Database", lambda: _database(settings)),
        _try("Pages", _pages),
        _try("Docs", _docs),
        _try("Controller", lambda: _processes("controller"), required=False),
        _try("Worker", lambda: _processes("worker"), required=False),
        _try("GPU", _gpu, required=False),
        _try("Chromium", _chromium, required=False),
        _try("Network", _registries, required=False),
    ]


def main() -> int:
    """Prints the table; 1 when something required is missing."""
    try:
        findings = examine(checks.read_settings())
    except StackError as refused:
        print(f"loreel: {refused}", file=sys.stderr)
        return 1
    for finding in findings:
        mark = "ok" if finding.ok else ("MISSING" if finding.required else "none")
        print(f"{finding.name:<12} {mark:<8} {finding.text}")
    return 0 if all(finding.ok or not finding.required for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
