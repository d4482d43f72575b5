"""Sizes in sentences: the unit fits the size, and what is hardly anything is not spoken of."""

import pytest

from orchestrator.domain.sizes import format_size, resumable_note


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 KB"),
        (2_240, "2.2 KB"),
        (10_485_760, "10.5 MB"),
        (1_500_000_000, "1.5 GB"),
        (2_500_000_000_000, "2,500.0 GB"),
    ],
)
def test_the_unit_fits(count: int, said: str) -> None:
    assert format_size(count).replace("\u00a0", " ") == said
    assert " " not in format_size(count)


def test_what_is_here() -> None:
    words = resumable_note(4_096, "fetching it again").replace("\u00a0", " ")
    assert words == " 4.1 KB are here; fetching it again within two days continues from there."
    assert resumable_note(999, "fetching it again") == resumable_note(0, "fetching it again") == ""
