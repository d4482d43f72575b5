"""argon2id with its smallest parameters: the usual ones take 0.2 s of a core, twice for each account."""

from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from orchestrator.logs import configure_logging
from orchestrator.services.auth import passwords

if TYPE_CHECKING:
    from fastapi import FastAPI


def use_quick_hashes() -> PasswordHasher:
    """Gives the hasher with the usual parameters."""
    usual, passwords._hasher = passwords._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords.decoy_hash()  # it is kept
    return usual


def create_api() -> "FastAPI":
    """The REST API for a server in a process of its own, with logging as in a studio.

    Without it structlog draws the values of all variables for an unexpected error, which takes half a minute of a core.
    """
    # Imported here: most tests need no app.
    from orchestrator.api import app

    configure_logging("web")
    use_quick_hashes()
    return app.create_api()
