"""How many requests and events of one person are worked on at once: the threads of the web process are for all."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from orchestrator.domain.errors import TooMany

AT_ONCE = 10
"""A page of clips asks for six at once; scripts that ask for more wait a little, holding no thread."""
MOST_WAITING = 60


@dataclass(slots=True)
class _Person:
    running: int = 0
    waiting: deque["asyncio.Future[None]"] = field(default_factory=deque)


_people: dict[str, _Person] = {}


@asynccontextmanager
async def person_slot(key: str, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING) -> AsyncIterator[None]:
    """Holds one of the person's slots, waiting for it if need be. Runs in the event loop only, so it needs no lock.

    Args:
        key: tells people, and kinds of work, apart.
        at_once: how many may hold one.
        most_waiting: how many may wait.

    Raises:
        TooMany: too many of this person's requests wait already.
    """
    person = _people.setdefault(key, _Person())
    if person.running >= at_once:
        if len(person.waiting) >= most_waiting:
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
