"""Addresses as attackers write them: only the open internet is public."""

import pytest

from orchestrator.services.url_safety import http_problem, is_public

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_public(address: str) -> None:
    assert is_public(address)


REFUSED = [
    ("file:///etc/passwd", "begins with https"),
    ("ftp://example.org/a.mp4", "begins with https"),
    ("gopher://x", "begins with https"),
    ("javascript:alert(1)", "begins with https"),
    ("", "begins with https"),
    ("https://", "not a web address"),
    ("https://[::1", "not a web address"),
    ("https://example.org:99999/", "not a web address"),
    ("https://example.org/a\nb", "not a web address"),
    (f"https://{'a' * 64}.org/", "not a web address"),
    ("https://a..b/", "not a web address"),
    ("https://\uff11\uff12\uff17.0.0.1/", "private network"),
    ("https://169.254.169.254\u3002/", "private network"),
    ("https://user:secret@example.org/a.mp4", "user name and password"),
    ("http://127.0.0.1/a.mp4", "private network"),
    ("http://127.1/a.mp4", "private network"),
    ("http://2130706433/a.mp4", "private network"),
    ("http://0x7f.0.0.1/a.mp4", "private network"),
    ("http://0177.0.0.1/a.mp4", "private network"),
    ("http://[::ffff:169.254.169.254]/latest", "private network"),
    ("http://localhost:3000/a.mp4", "private network"),
    ("http://LOCALHOST./a.mp4", "private network"),
    ("http://redis:6379/", "private network"),
    ("http://metadata.google.internal/", "private network"),
]


@pytest.mark.parametrize(("url", "sentence"), REFUSED)
def test_an_address_is_refused_as_it_is_written(url: str, sentence: str) -> None:
    assert sentence in http_problem(url)


@pytest.mark.parametrize("url", ["https://example.org/a.mp4", "http://1.1.1.1/x", "https://example.org:8443/a?b=c"])
def test_public_addresses_pass(url: str) -> None:
    assert http_problem(url) == ""
