"""A parallel map with results in order that can be stopped."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_END = object()
_AHEAD = 4
"""Items that are started per thread before the first result is yielded, so that a slow item does not block others."""


def ordered_map(
    function: Callable[[_Item], _Result], items: Iterable[_Item], concurrency: int, should_continue: Callable[[], bool]
) -> Iterator[_Result | None]:
    """Applies the function to all items in `concurrency` threads and yields the results in the order of the items.

    When `should_continue` returns False, it yields None once and ends. The threads live until the last result was
    yielded, because processes that they start may be tied to them.
    """
    with ThreadPoolExecutor(concurrency, thread_name_prefix="ordered-map") as threads:
        futures: deque[Future[_Result]] = deque()
        remaining = iter(items)
        try:
            following = next(remaining, _END)
            while futures or following is not _END:
                if not should_continue():
                    yield None
                    return
                while following is not _END and len(futures) < concurrency * _AHEAD:
                    futures.append(threads.submit(function, following))  # type: ignore[arg-type]
                    following = next(remaining, _END)
                yield futures.popleft().result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
