"""The web process of a built app: pages, websocket and /api on one port, served by one granian worker."""

import os

from orchestrator.settings import get_settings


def main() -> None:
    """Serves until it is told to end. Expects the environment of `frontend.web_environment`."""
    settings = get_settings()
    # Lifespan tasks (the live hub) must run once, so there is one worker.
    os.environ["GRANIAN_WORKERS"] = "1"
    os.environ.setdefault("REFLEX_STATES_WORKDIR", str(settings.data_dir / "states"))

    from reflex.istate.manager import reset_disk_state_manager
    from reflex.utils.exec import run_backend_prod
    from reflex_base.config import get_config
    from reflex_base.constants import LogLevel
    from reflex_base.environment import environment

    environment.REFLEX_SKIP_COMPILE.set(True)
    get_config()._set_persistent(frontend_port=settings.port, backend_port=settings.port)
    reset_disk_state_manager()
    run_backend_prod(settings.host, settings.port, LogLevel.WARNING, mount_frontend_compiled_app=True)


if __name__ == "__main__":
    main()
