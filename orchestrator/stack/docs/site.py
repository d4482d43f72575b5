"""Builds the documentation when its sources changed, by MkDocs, into static files that need no network."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from orchestrator.settings import ROOT
from orchestrator.stack.errors import StackError
from orchestrator.stack.frontend import build_lock, hash_files
from orchestrator.stack.node import STATE_DIR

SITE_DIR = STATE_DIR / "docs"
STAMP = STATE_DIR / "docs.json"
CONFIG = "mkdocs.yml"
GENERATORS = ("mkdocs", "mkdocs-material", "pymdown-extensions")

_FILES = (CONFIG, "CHANGELOG.md", "CONTRIBUTING.md", "assets/favicon.svg", "assets/styles/loreel.css")
_GENERATED_FROM = ("orchestrator/settings.py", "orchestrator/domain", "orchestrator/api", "orchestrator/stack/docs")
_BENCHMARKS = "benchmarks"
_NOT_SOURCES = ("__pycache__",)


def source_files(root: Path = ROOT) -> list[Path]:
    """Every file that the pages are made from, sorted."""
    paths = [root / name for name in _FILES]
    for top in ("docs", *_GENERATED_FROM, _BENCHMARKS):
        source = root / top
        paths += [source] if source.is_file() else source.rglob("*")
    return sorted(path for path in paths if path.is_file() and not set(path.parts) & set(_NOT_SOURCES))


def sources_hash(root: Path = ROOT) -> str:
    """The digest of all sources plus the versions of what turns them into pages."""
    return hash_files(root, source_files(root), *(f"{name}=={version(name)}" for name in GENERATORS))


def is_built() -> bool:
    """True when the built site was made from exactly these sources."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    return stamp == {"sources": sources_hash()} and (SITE_DIR / "index.html").exists()


def generator_environment() -> dict[str, str]:
    """The environment for MkDocs: the hook imports our modules, and Material's note about MkDocs 2 stays out."""
    return os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}


def run_mkdocs(*arguments: str) -> str:
    """Runs MkDocs on our configuration and returns what it printed.

    Raises:
        StackError: it failed; the message carries its last lines.
    """
    command = [sys.executable, "-m", "mkdocs", *arguments, "--config-file", str(ROOT / CONFIG)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=generator_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        raise StackError("Building the documentation failed:\n" + "\n".join(lines[-15:]))
    return done.stdout


def build(strict: bool = False) -> bool:
    """Builds the site unless the one there is current. Returns whether it built.

    Args:
        strict: a broken link or a page outside the navigation fails the build; it is then always built.

    Raises:
        StackError: MkDocs failed.
    """
    if not strict and is_built():
        return False
    with build_lock("docs.lock"):
        if is_built() and not strict:
            return False
        sources = sources_hash()
        fresh = STATE_DIR / "docs.part"
        shutil.rmtree(fresh, ignore_errors=True)
        run_mkdocs("build", "--quiet", "--site-dir", str(fresh), *(["--strict"] if strict else []))
        shutil.rmtree(SITE_DIR, ignore_errors=True)
        fresh.rename(SITE_DIR)
        STAMP.write_text(json.dumps({"sources": sources}))
        return True
