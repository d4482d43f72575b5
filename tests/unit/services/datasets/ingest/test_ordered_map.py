"""Many items at once, returned in their order; nothing more after a stop."""

import threading

from orchestrator.services.datasets.ingest.ordered_map import ordered_map


def test_results_come_in_order_however_long_each_takes() -> None:
    gate = threading.Event()

    def do(number: int) -> int:
        if number == 0:
            assert gate.wait(10)  # the first is done last
        if number == 5:
            gate.set()
        return number * 2

    assert list(ordered_map(do, range(20), 3, lambda: True)) == [2 * number for number in range(20)]


def test_it_stops_on_request() -> None:
    done: list[int] = []
    answers = iter([True, True, False])
    assert list(ordered_map(lambda n: done.append(n) or n, range(1_000), 2, lambda: next(answers))) == [0, 1, None]
    assert len(done) < 20


def test_a_failure_reaches_the_caller() -> None:
    try:
        list(ordered_map(lambda n: 1 / n, [1, 0], 2, lambda: True))
    except ZeroDivisionError:
        return
    raise AssertionError


def test_items_are_taken_when_they_are_needed() -> None:
    taken: list[int] = []
    results = ordered_map(lambda n: n, (taken.append(n) or n for n in range(1_000)), 2, lambda: True)
    assert next(results) == 0
    assert len(taken) < 20
    assert list(results) == list(range(1, 1_000))
