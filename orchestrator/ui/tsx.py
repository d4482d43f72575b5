"""Puts our TSX files where the bundler finds them, and gives a component its import path."""

from pathlib import Path

import reflex as rx
from reflex_base.environment import EnvironmentVariables

_UI = Path(__file__).parent


def _link_all() -> dict[str, str]:
    """Link every TSX file under `ui/`, folder by folder, so that relative imports hold on both sides."""
    paths: dict[str, str] = {}
    for source in sorted([*_UI.rglob("*.tsx"), *_UI.rglob("*.ts")]):
        relative = source.relative_to(_UI).as_posix()
        if not EnvironmentVariables.REFLEX_BACKEND_ONLY.get():
            (Path.cwd() / "assets" / "external" / "orchestrator" / "ui" / "tsx" / relative).parent.mkdir(
                parents=True, exist_ok=True
            )
        paths[relative] = rx.asset(relative, shared=True, _stack_level=1).importable_path
    return paths


_PATHS = _link_all()


def tsx(relative: str) -> str:
    """The import path of `orchestrator/ui/<relative>`, for a component's `library`."""
    return _PATHS[relative]
