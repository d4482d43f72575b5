"""Builds the pages, unless the existing build was made from the same sources."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version

from orchestrator.settings import ROOT
from orchestrator.stack.errors import StackError
from orchestrator.stack.node import STATE_DIR, node_environment, node_version, npm_registry

WEB_DIR = STATE_DIR / "web"
"""The built app stands apart from `.web`, where `reflex run` develops: neither disturbs the other."""
STATIC_DIR = WEB_DIR / "build" / "client"
STAMP = STATE_DIR / "frontend.json"

SOURCE_SUFFIXES = {".py", ".tsx", ".ts", ".jsx", ".js", ".css", ".svg", ".png", ".ico", ".woff2", ".json", ".txt"}
_NOT_PAGES = ("orchestrator/api/", "orchestrator/stack/", "assets/external/")


def source_files(root: Path) -> list[Path]:
    """Every file a page can be made from, sorted."""
    found: list[Path] = [root / "rxconfig.py", root / "orchestrator" / "stack" / "web_plugin.py"]
    for top in ("orchestrator", "assets"):
        for path in (root / top).rglob("*"):
            relative = path.relative_to(root).as_posix()
            if path.suffix in SOURCE_SUFFIXES and path.is_file() and not relative.startswith(_NOT_PAGES):
                found.append(path)
    return sorted(path for path in found if path.exists())


def hash_files(root: Path, files: Iterable[Path], *salt: str) -> str:
    """One digest over names and contents, so that a rename counts as a change."""
    digest = hashlib.sha256("\0".join(salt).encode())
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sources_hash(root: Path = ROOT, dev: bool = False) -> str:
    """The digest of all sources plus what else decides the build: Reflex's version and the dev pages."""
    lock = (root / "requirements.lock").read_text() if (root / "requirements.lock").exists() else ""
    reflex_pins = ",".join(line for line in lock.splitlines() if line.startswith("reflex"))
    return hash_files(root, source_files(root), reflex_pins, f"dev={dev}")


def packages_hash(root: Path = ROOT) -> str:
    """The digest of the committed npm lock."""
    return hash_files(root, sorted((root / "reflex.lock").glob("*.json")))


def is_built(dev: bool = False) -> bool:
    """True when the standing build was made from exactly these sources."""
    stamp = _read_stamp()
    fresh = {"sources": sources_hash(dev=dev), "packages": packages_hash()}
    return fresh.items() <= stamp.items() and (STATIC_DIR / "index.html").exists()


def _read_stamp() -> dict[str, str]:
    """What the standing build was made from and with; {} where none stands."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def tools() -> dict[str, str]:
    """What builds the pages here: name -> version."""
    return {"Node.js": node_version(), "Reflex": version("reflex")}


def check_tools() -> None:
    """Raises StackError when newer tools than those at hand have made the standing build; changes nothing.

    Older ones would build over it, with packages that newer ones have installed.
    """
    stamp = _read_stamp() if STATIC_DIR.exists() else {}
    for name, here in tools().items() if stamp else ():
        made_with = stamp.get(name, "")
        if made_with and Version(made_with) > Version(here):
            raise StackError(
                f"The pages were built with {name} {made_with}, and {here} is installed here: start the version of "
                f"Loreel that built them, or delete {os.path.relpath(WEB_DIR, ROOT)} to build them with the older one. "
                "Nothing was changed."
            )


@contextmanager
def build_lock(name: str = "build.lock") -> Iterator[None]:
    """Lets one process of this checkout build at a time; the others wait.

    Raises:
        StackError: the checkout cannot be written to.
    """
    try:
        STATE_DIR.mkdir(parents=True, exist_ok=True)
        lock = (STATE_DIR / name).open("w")
    except OSError as error:
        raise StackError(
            f"Something must be built, and {STATE_DIR} cannot be written to ({error.strerror}): run `./loreel setup` "
            "where it can."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def web_environment() -> dict[str, str]:
    """The environment in which the built app is compiled and served."""
    env = node_environment()
    env["REFLEX_WEB_WORKDIR"] = str(WEB_DIR.relative_to(ROOT))
    env["REFLEX_ENV_MODE"] = "prod"
    return env


def build(dev: bool = False) -> bool:
    """Builds the pages unless the standing build is current. Returns whether it built.

    Raises:
        StackError: the compiler or npm failed; the message carries its last lines.
    """
    if is_built(dev):  # asked before the lock, which cannot be taken where the checkout is read-only
        return False
    with build_lock():
        if is_built(dev):
            return False
        check_tools()
        STAMP.unlink(missing_ok=True)
        sources = sources_hash(dev=dev)
        env = web_environment()
        if registry := npm_registry(env):
            env["NPM_CONFIG_REGISTRY"] = registry
        # Reflex copies a component only when it is newer than the copy: a checkout may put an older one there.
        shutil.rmtree(WEB_DIR / "public" / "external", ignore_errors=True)
        with steady_lock(ROOT / "reflex.lock"):
            _run_export(env)
        STAMP.write_text(json.dumps({"sources": sources, "packages": packages_hash(), **tools()}))
        return True


@contextmanager
def steady_lock(folder: Path) -> Iterator[None]:
    """Keeps the committed npm lock when a build only omitted packages (such as those of the dev pages)."""
    before = {path: path.read_bytes() for path in sorted(folder.glob("*.json"))}
    package = folder / "package.json"
    known = dependencies(before.get(package, b"{}"))
    try:
        yield
    finally:
        if package.exists() and dependencies(package.read_bytes()).items() <= known.items():
            for path, content in before.items():
                path.write_bytes(content)


def dependencies(package_json: bytes) -> dict[str, str]:
    """Every package that a package.json names, with its version."""
    read = json.loads(package_json)
    return {**read.get("dependencies", {}), **read.get("devDependencies", {})}


def _run_export(env: dict[str, str]) -> None:
    log_path = STATE_DIR / "frontend-build.log"
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    with log_path.open("w") as log:
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    text = log_path.read_text(errors="replace")
    if done.returncode == 0 and (STATIC_DIR / "index.html").exists():
        return
    raise StackError(explain_build_failure(text, os.path.relpath(log_path, ROOT)))


def explain_build_failure(text: str, log_name: str) -> str:
    """A sentence for the common causes, else the last lines of the log."""
    lowered = text.lower()
    if "enospc" in lowered or "no space left" in lowered:
        return "The disk is full: building the pages needs about 1 GB free."
    if any(sign in lowered for sign in (" enotfound", "eai_again", "econnrefused", "etimedout", "network request")):
        return (
            "The npm registry does not answer: connect to the network, or set NPM_CONFIG_REGISTRY to one you can reach."
        )
    if "self_signed_cert" in lowered or "unable_to_get_issuer_cert" in lowered:
        return "npm does not trust the registry's certificate: set NODE_EXTRA_CA_CERTS to the file with your network's."
    tail = "\n".join(line for line in text.splitlines() if line.strip()).splitlines()[-15:]
    return f"Building the pages failed (whole log: {log_name}):\n" + "\n".join(tail)
