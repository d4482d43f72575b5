"""Puts our TSX files where the bundler finds them, and gives a component its import path.

`rx.asset` does the same, but looks through the whole call stack's sources for each file: with fifty files that
was a third of the web process's start.
"""

import os
from pathlib import Path

from reflex_base.environment import environment

_UI = Path(__file__).parent
_PUBLIC = "external/orchestrator/ui/tsx"


def _link(source: Path, link: Path) -> None:
    """Makes `link` point at `source`; another process may be doing the same."""
    if link.is_symlink() and link.readlink() == source:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(source)
    fresh.replace(link)


def _link_all() -> dict[str, str]:
    """Links every TSX file under `ui/`, folder by folder, so that relative imports hold on both sides."""
    paths: dict[str, str] = {}
    compiles = not (environment.REFLEX_BACKEND_ONLY.get() or environment.REFLEX_SKIP_COMPILE.get())
    for source in sorted([*_UI.rglob("*.tsx"), *_UI.rglob("*.ts")]):
        relative = source.relative_to(_UI).as_posix()
        if compiles:
            _link(source, Path.cwd() / "assets" / _PUBLIC / relative)
        paths[relative] = f"$/public/{_PUBLIC}/{relative}"
    return paths


_PATHS = _link_all()


def tsx(relative: str) -> str:
    """The import path of `orchestrator/ui/<relative>`, for a component's `library`."""
    return _PATHS[relative]
