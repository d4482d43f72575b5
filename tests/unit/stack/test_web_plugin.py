"""The frontend speaks to the host it was opened on, and another site's page cannot open the websocket."""

import pytest

from orchestrator.stack.web_plugin import _STATE_JS_ANCHOR, _VITE_ANCHOR, own_origins, proxy_api, use_same_origin
from orchestrator.websocket.origins import same_host_or_trusted


def test_both_patches_can_be_applied_twice() -> None:
    for patch, anchor in ((use_same_origin, _STATE_JS_ANCHOR), (proxy_api, _VITE_ANCHOR)):
        once = patch(f"before\n{anchor}after")
        assert once != f"before\n{anchor}after"
        assert patch(once) == once


def test_a_reflex_that_has_changed_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="anchor was not found"):
        use_same_origin("something else")


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://192.168.1.5:3000", "192.168.1.5:3000", True),
        ("https://studio.example.org", "studio.example.org", True),
        ("http://localhost:3000", "127.0.0.1:8000", True),
        ("https://evil.example", "127.0.0.1:3000", False),
        ("http://127.0.0.1:3000.evil.example", "127.0.0.1:3000", False),
        ("null", "127.0.0.1:3000", False),
        ("http://[bad", "127.0.0.1:3000", False),
        ("http://[bad", "", False),
        ("", "", False),
    ],
)
def test_only_the_own_host_and_trusted_origins_may_connect(origin: str, host: str, allowed: bool) -> None:
    check = same_host_or_trusted(own_origins(3000, "https://lab.example/"))
    assert check(origin, {"HTTP_HOST": host}) is allowed
    assert check("https://lab.example", {"HTTP_HOST": "elsewhere"})


def test_a_request_without_an_origin_may_not_connect() -> None:
    check = same_host_or_trusted(own_origins(3000, ""))
    assert check(None, {"HTTP_HOST": "127.0.0.1:3000"}) is False
