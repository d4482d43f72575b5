"""argon2id with its smallest parameters: the usual ones take 0.2 s of a core, twice for each account."""

from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from orchestrator.services.auth import passwords

if TYPE_CHECKING:
    from fastapi import FastAPI


def use_quick_hashes() -> PasswordHasher:
    """Gives the hasher with the usual parameters."""
    usual, passwords._hasher = passwords._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords.decoy_hash()  # it is kept
    return usual


def create_api() -> "FastAPI":
    """The REST API for a server in a process of its own."""
    # Imported here: most tests need no app.
    from orchestrator.api import app

    use_quick_hashes()
    return app.create_api()
