"""Checks the words for numbers, sizes and times."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain import formatting


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (42, "42 s"),
        (95, "1 min 35 s"),
        (120, "2 min"),
        (3180, "53 min"),
        (7800, "2 h 10 min"),
        (7200, "2 h"),
        (50 * 3600, "2 d 2 h"),
        (None, ""),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert formatting.duration(seconds).replace(formatting.NBSP, " ") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.50 KB"), (60_123_456, "60.1 MB"), (2.4e10, "24.0 GB")]
)
def test_size(value: float, text: str) -> None:
    assert formatting.size(value).replace(formatting.NBSP, " ") == text


def test_percent_never_claims_a_run_is_done() -> None:
    assert formatting.percent(0.999) == f"99{formatting.NARROW}%"
    assert formatting.percent(1.0) == f"100{formatting.NARROW}%"
    assert formatting.percent(0.8674, 1) == f"86.7{formatting.NARROW}%"


@pytest.mark.parametrize(
    ("value", "text"), [(0.4117, "0.412"), (-0.031, "\u22120.031"), (0.00021, "2.1e-4"), (0.0, "0.000"), (None, "")]
)
def test_loss(value: float | None, text: str) -> None:
    assert formatting.loss(value) == text


def test_a_loss_that_is_no_number_says_so() -> None:
    assert formatting.loss(float("nan")) == "not a number"


def test_rate() -> None:
    assert formatting.rate(0.001) == "1e-3"
    assert formatting.rate(6.7e-5) == "6.7e-5"


def test_ago() -> None:
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert formatting.ago(now - timedelta(seconds=2), now).replace(formatting.NBSP, " ") == "2 s ago"
    assert formatting.ago(now - timedelta(minutes=61), now).replace(formatting.NBSP, " ") == "1 h ago"
    assert formatting.ago(now - timedelta(days=30), now) == "24 Oct 2026"


def test_short_count() -> None:
    assert formatting.short_count(2_360_000).replace(formatting.NBSP, " ") == "2.36 M"
    assert formatting.plural(1, "clip").replace(formatting.NBSP, " ") == "1 clip"
    assert formatting.plural(1200, "class", "classes").replace(formatting.NBSP, " ") == "1,200 classes"


def test_named() -> None:
    assert formatting.named(["walks"], 1) == "walks"
    assert formatting.named(["walks", "runs"], 2) == "walks and runs"
    assert formatting.named(["a", "b", "c", "d"], 5) == "a, b, c and 2 others"
    assert formatting.named(["a", "b", "c"], 4) == "a, b, c and 1 other"


def test_size_and_unit_are_not_separated_by_a_line_break() -> None:
    assert " " not in formatting.size(10_485_760)


def test_an_interrupted_fetch_says_how_much_is_stored() -> None:
    note = formatting.partial_fetch_note(4_096, "fetching it again").replace(formatting.NBSP, " ")
    assert note == " 4.10 KB are stored; fetching it again within two days continues from there."
    assert formatting.partial_fetch_note(999, "fetching it again") == ""
