"""The web process of a built app: pages, websocket and /api on one port, served by one granian worker."""

import gc
import os
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from orchestrator.logs import configure_logging
from orchestrator.private_files import keep_files_private
from orchestrator.settings import get_settings

_PROPAGATED = {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")}
"""Granian's records go to the one handler of `orchestrator.logs`, not to its own."""

_MOST_BUFFERED = 4 * 2**20
"""Bytes of a connection that may wait to be read. With a tenth of it, granian's default, an upload stalls: the sender
waits for the reader and the reader for the sender."""


def app_factory() -> Any:
    """The ASGI app over the pages that stand built. Runs in granian's worker; its parent stays small."""
    from reflex_base.environment import environment

    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)
    configure_logging("web")
    from orchestrator.orchestrator import app

    made = app()
    collect_rarely()
    return made


def collect_rarely() -> None:
    """Python's collector walks every object of the app and of each open tab.

    With 200 job pages open, one full round stopped the process for 300 ms, every few seconds: what is there from the
    start is left out, and full rounds come a hundred times less often. Most garbage needs no collector at all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def main() -> None:
    """Serves until it is stopped. Expects the environment of `frontend.web_environment`."""
    settings = get_settings()
    configure_logging("web")
    keep_files_private(settings.data_dir)
    os.environ["REFLEX_FRONTEND_PORT"] = os.environ["REFLEX_BACKEND_PORT"] = str(settings.port)
    Server(
        "orchestrator.stack.web:app_factory",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        # Lifespan tasks (the live hub) must run once, so there is one worker.
        workers=1,
        log_level=LogLevels.warning,
        log_dictconfig={"handlers": {}, "loggers": _PROPAGATED},
        workers_kill_timeout=3,
        http1_settings=HTTP1Settings(max_buffer_size=_MOST_BUFFERED),
    ).serve()


if __name__ == "__main__":
    main()
