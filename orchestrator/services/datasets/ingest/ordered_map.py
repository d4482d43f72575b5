"""Does the same to many things, some of them at once, and hands the results back in the order of the things."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Thing = TypeVar("_Thing")
_Result = TypeVar("_Result")
_AHEAD = 4
"""Things begun for each thread before the first of them is handed back: one slow thing does not stop the others."""


def in_turn(
    do: Callable[[_Thing], _Result], things: Sequence[_Thing], at_once: int, go_on: Callable[[], bool]
) -> Iterator[_Result | None]:
    """The results in order; None, and nothing after it, when `go_on` says no.

    The threads live until the last result is handed back: processes that they start may be tied to them.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="in-turn") as threads:
        begun: deque[Future[_Result]] = deque()
        rest = iter(things)
        try:
            for _ in things:
                if not go_on():
                    yield None
                    return
                while len(begun) < at_once * _AHEAD and (thing := next(rest, rest)) is not rest:
                    begun.append(threads.submit(do, thing))  # type: ignore[arg-type]
                yield begun.popleft().result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
