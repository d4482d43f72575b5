"""Fixtures that every test may ask for: `home`, `redis_server`, `ada`, `processes` (see tests/studio.py)."""

import gc
import os
from collections.abc import Iterator

import pytest
import structlog
from argon2 import PasswordHasher

from orchestrator.services.auth import passwords
from tests.fakes.quick_hashes import use_quick_hashes

# The garbage collector would visit a million objects of libraries repeatedly, which are never freed: it comes back when
# all modules are imported, and leaves those out. A training of eight steps takes an eighth less of a core.
gc.disable()

# Structlog's own configuration draws the values of all variables of a traceback: half a minute of a core for one error.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# As the trainer does for itself: torch's threads that spin while they wait starve each other on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The models of the tests are so small that a second thread costs more than it helps, and other tests run at that time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["tests.studio", "tests.postgres"]

# The quick ones first: a mistake shows itself within seconds. The browser comes last, for Playwright's synchronous
# API keeps an event loop running in the main thread until the session ends, in which no `asyncio.run` can begin.
FLOORS = ("architecture", "unit", "integration", "e2e")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Orders the tests by floor; inside a floor they keep their order."""
    root = config.rootpath / "tests"

    def floor(item: pytest.Item) -> int:
        name = item.path.relative_to(root).parts[0] if item.path.is_relative_to(root) else ""
        return FLOORS.index(name) if name in FLOORS else len(FLOORS)

    items.sort(key=floor)


def pytest_collection_finish() -> None:
    """All modules are imported."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def quick_password_hashes() -> Iterator[PasswordHasher]:
    """Gives the hasher with the usual parameters, for the tests that are about them."""
    usual = use_quick_hashes()
    yield usual
    passwords._hasher = usual
