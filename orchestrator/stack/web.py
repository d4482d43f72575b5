"""The web process of a built app: pages, websocket and /api on one port, served by one granian worker."""

import os
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from orchestrator.settings import get_settings


def app_factory() -> Any:
    """The ASGI app over the pages that stand built. Runs in granian's worker; its parent stays small."""
    from reflex_base.environment import environment

    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)
    from orchestrator.orchestrator import app

    return app()


def main() -> None:
    """Serves until it is told to end. Expects the environment of `frontend.web_environment`."""
    settings = get_settings()
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
        workers_kill_timeout=3,
    ).serve()


if __name__ == "__main__":
    main()
