"""A browser tab without a browser: the state of a websocket that brought a session's cookie, on a page."""

from typing import Any

import reflex as rx
from reflex.istate.data import RouterData
from reflex.state import BaseState

from orchestrator.services.auth.sessions import COOKIE_NAME


def tab(token: str, path: str) -> BaseState:
    """The state of a tab whose websocket brought this session's cookie."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    go(root, token, path)
    return root


def go(root: BaseState, token: str, path: str) -> None:
    """The tab goes to another page."""
    headers = {"cookie": f"{COOKIE_NAME}={token}"}
    root.router = RouterData.from_router_data({"headers": headers, "pathname": path, "asPath": path, "token": "t"})


def state_in(root: BaseState, kind: type[BaseState]) -> Any:
    found: Any = root
    for part in kind.get_full_name().split(".")[1:]:
        found = found.substates[part]
    return found
