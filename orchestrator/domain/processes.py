"""What the processes of one installation agree on: environment variables that one sets for another, and exit codes.

Settings are in `settings.py`.
"""

from enum import IntEnum

PARENT_PID = "LOREEL_PARENT_PID"
"""The id of the process that started this one and without which it must not live on."""

RUN_REDIS_URL = "LOREEL_RUN_REDIS_URL"
"""The address of Redis for a trainer. It may hold a password, so it must not stand in a file."""

SUPERVISED = "LOREEL_SUPERVISED"
"""Set by `./loreel up` and `dev`: Redis, controller and workers are started and watched already."""


class SandboxExit(IntEnum):
    """Exit codes of sandboxed programs (`services/sandbox.py`) with a meaning of their own."""

    TOO_LARGE = 3
    """More bytes than asked for."""
    NO_CLIPS = 4
    """A Parquet file without clips."""
    TOO_MANY = 5
    """More clips than are taken at once."""
