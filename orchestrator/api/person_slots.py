"""How many requests of one person are worked on at once: the threads of the web process belong to everybody."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from fastapi import Request

from orchestrator.domain.errors import TooMany
from orchestrator.services.auth.sessions import COOKIE_NAME

AT_ONCE = 10
"""A page of clips asks for six at once; scripts that ask for more wait a little, holding no thread."""
MOST_WAITING = 60


@dataclass(slots=True)
class _Person:
    running: int = 0
    waiting: deque["asyncio.Future[None]"] = field(default_factory=deque)


_people: dict[str, _Person] = {}


def key_of(request: Request) -> str:
    """Tells people apart before they are known: by cookie, token, or address."""
    shown = request.cookies.get(COOKIE_NAME) or request.headers.get("authorization")
    return sha256(shown.encode()).hexdigest() if shown else (request.client.host if request.client else "")


@asynccontextmanager
async def person_slot(key: str) -> AsyncIterator[None]:
    """Holds one of the person's slots, waiting for it if need be. Runs in the event loop only, so it needs no lock.

    Raises:
        TooMany: too many of this person's requests wait already.
    """
    person = _people.setdefault(key, _Person())
    if person.running >= AT_ONCE:
        if len(person.waiting) >= MOST_WAITING:
            raise TooMany("Too many requests at once. Wait for the answers of those before.", 1)
        turn = asyncio.get_running_loop().create_future()
        person.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                _leave(key, person)  # its turn had come in this moment
            else:
                person.waiting.remove(turn)
            raise
    else:
        person.running += 1
    try:
        yield
    finally:
        _leave(key, person)


def _leave(key: str, person: _Person) -> None:
    """Hands the slot to the next in line."""
    while person.waiting:
        turn = person.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return
    person.running -= 1
    if not person.running:
        _people.pop(key, None)
