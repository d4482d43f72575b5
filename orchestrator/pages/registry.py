"""The list of every page: its route, where it is made, and what runs when it opens."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class PageEntry:
    """One page. `module` holds the function `function`; `on_load` are `module:State.handler` references.

    Each page stands in a module of its own, because a module becomes one JS chunk.
    """

    route: str
    module: str
    function: str
    title: str
    description: str = "Fine-tune video models on your own machine."
    on_load: tuple[str, ...] = field(default=())
    dev: bool = False
    """True: the page exists only under `./loreel dev`."""


PAGES: list[PageEntry] = [
    PageEntry("/", "orchestrator.pages.home.index", "index", "Loreel"),
    PageEntry(
        "/login",
        "orchestrator.pages.auth.login",
        "login",
        "Log in - Loreel",
        on_load=("orchestrator.states.login:LoginState.open",),
    ),
    PageEntry(
        "/signup",
        "orchestrator.pages.auth.signup",
        "signup",
        "Sign up - Loreel",
        on_load=("orchestrator.states.signup:SignupState.open",),
    ),
    PageEntry("/kit", "orchestrator.pages.kit.index", "index", "Kit", dev=True),
]


def load(reference: str) -> Any:
    """The object behind `package.module:Name.attribute`."""
    module, _, path = reference.partition(":")
    target: Any = import_module(module)
    for name in path.split("."):
        target = getattr(target, name)
    return target
