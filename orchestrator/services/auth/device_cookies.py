"""The cookie that says "this browser has logged in to this account before", so that guesses of others do not count.

It opens nothing: without the password it only gives its holder a count of wrong attempts of their own.
"""

import secrets
from dataclasses import dataclass

from orchestrator.domain.errors import Conflict
from orchestrator.services.vault import seal, unseal

COOKIE_NAME = "loreel_device"
DAYS = 365
_PURPOSE = "device cookies"
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that has logged in to the account `user_id`."""

    user_id: int
    id: str


def new_device_cookie(user_id: int) -> str:
    """A signed cookie for a browser that has just logged in; each login makes a new one."""
    return seal({"user": user_id, "device": secrets.token_urlsafe(12)}, _PURPOSE)


def read_device_cookie(cookie: str) -> Device | None:
    """What the cookie says; None when it is not one of ours."""
    if not cookie or len(cookie) > _LONGEST:
        return None
    try:
        values = unseal(cookie, _PURPOSE)
    except Conflict:
        return None
    return Device(int(values["user"]), str(values["device"]))
