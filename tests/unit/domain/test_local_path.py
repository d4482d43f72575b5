"""Where a visitor is sent after signing in: always to a page of this site."""

import pytest

from orchestrator.domain.local_path import local_path


@pytest.mark.parametrize("path", ["/overview", "/jobs/7?tab=logs", "/datasets/3#clips"])
def test_local_path_keeps_own_pages(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "overview",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https://[evil.example",
        "javascript:alert(1)",
        "/a\\b",
        "/\t/evil.example",
        "/api/session?ticket=x",
    ],
)
def test_local_path_refuses_the_rest(path: str) -> None:
    assert local_path(path) == "/overview"
