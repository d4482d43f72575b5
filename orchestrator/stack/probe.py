"""Asks the running web process whether it answers."""

import http.client
import time
from collections.abc import Callable

from orchestrator.settings import Settings
from orchestrator.stack.errors import StackError

HEALTH = "/api/v1/health"


def address(settings: Settings) -> str:
    """The address to open in a browser on this machine."""
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host
    return f"http://{host}:{settings.port}"


def status_of(host: str, port: int, path: str) -> int:
    """The HTTP status, or 0 without an answer."""
    connection = http.client.HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def web_answers(settings: Settings) -> bool:
    """True when the health page answers, even if it reports a failure, or the ping where there is no API."""
    host = "127.0.0.1" if settings.host == "0.0.0.0" else "::1" if settings.host == "::" else settings.host
    status = status_of(host, settings.port, HEALTH)
    return status in (200, 503) or (status == 404 and status_of(host, settings.port, "/ping") == 200)


def wait_for_web(settings: Settings, give_up: Callable[[], str], limit_s: float = 120.0) -> None:
    """Returns when the web answers. Raises StackError with `give_up()`'s sentence as soon as it says one."""
    until = time.monotonic() + limit_s
    while not web_answers(settings):
        if sentence := give_up():
            raise StackError(sentence)
        if time.monotonic() > until:
            raise StackError(f"The web process did not answer within {limit_s:.0f} s: the lines above say what it did.")
        time.sleep(0.03)
