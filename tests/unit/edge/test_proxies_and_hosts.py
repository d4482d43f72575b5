"""Who the client is and which names lead here: proxies are believed by address, foreign hosts are refused."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from orchestrator.edge.hosts import AllowedHosts, is_allowed
from orchestrator.edge.proxies import TrustedProxies, client_behind, networks
from orchestrator.settings import Settings

TRUSTED = networks("10.0.0.0/8, 192.168.1.7, ::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9, 192.168.1.7", "203.0.113.9"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "nonsense", "10.1.2.3"),
        ("203.0.113.50", "1.2.3.4", "203.0.113.50"),
        ("::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("", "1.2.3.4", ""),
    ],
)
def test_only_trusted_proxies_name_the_client(peer: str, forwarded: str, client: str) -> None:
    assert client_behind(peer, forwarded, TRUSTED) == client


@pytest.mark.parametrize(("trusted", "seen"), [("", ("10.0.0.2", "http")), ("10.0.0.0/8", ("203.0.113.9", "https"))])
def test_address_and_scheme_are_replaced(monkeypatch: pytest.MonkeyPatch, trusted: str, seen: tuple[str, str]) -> None:
    monkeypatch.setattr("orchestrator.edge.proxies.get_settings", lambda: Settings(trusted_proxies=trusted))
    found: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.append((scope["client"][0], scope["scheme"]))

    headers = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": ("10.0.0.2", 1), "scheme": "http", "headers": headers}
    asyncio.run(TrustedProxies(app)(scope, None, None))  # type: ignore[arg-type]
    assert found == [seen]


def test_a_network_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings(trusted_proxies="everybody")


@pytest.mark.parametrize(
    ("host", "values", "allowed"),
    [
        ("localhost:3000", {}, True),
        ("127.0.0.1:3000", {}, True),
        ("[::1]:3000", {}, True),
        ("LOCALHOST", {}, True),
        ("evil.example:3000", {}, False),
        ("localhost.evil.example", {}, False),
        ("192.168.1.5:3000", {}, False),
        ("192.168.1.5:3000", {"host": "0.0.0.0"}, True),
        ("192.168.1.5:3000", {"host": "192.168.1.5"}, True),
        ("evil.example", {"host": "0.0.0.0"}, False),
        ("studio.example.org", {"public_url": "https://studio.example.org"}, True),
        ("lab.example", {"trusted_origins": "https://lab.example"}, True),
        ("nas.local:3000", {"allowed_hosts": "nas.local, other"}, True),
        ("evil.example", {"allowed_hosts": "*"}, True),
        ("", {}, False),
        ("[::1", {}, False),
        ("localhost.:3000", {}, True),
        (".localhost", {}, False),
        ("evil.example@localhost", {}, False),
        ("localhost/evil", {}, False),
        ("localhost:3000, evil.example", {}, False),
        ("localhost:port", {}, False),
        ("localhost\n", {}, False),
        ("[::ffff:127.0.0.1]", {}, False),
        ("2130706433", {}, False),
        ("lab.example", {"trusted_origins": "http://[bad, https://lab.example"}, True),
    ],
)
def test_known_names_are_answered(host: str, values: dict[str, Any], allowed: bool) -> None:
    assert is_allowed(host, Settings(**values)) is allowed


def test_a_foreign_host_reaches_neither_page_nor_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.edge.hosts.get_settings", Settings)
    client = TestClient(AllowedHosts(PlainTextResponse("page")), base_url="http://evil.example:3000")
    answer = client.get("/")
    assert answer.status_code == 421
    assert "LOREEL_ALLOWED_HOSTS" in answer.text
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_event"):
        pass


@pytest.mark.parametrize("hosts", [["localhost", "evil.example"], ["evil.example", "localhost"], []])
def test_a_request_names_one_host(monkeypatch: pytest.MonkeyPatch, hosts: list[str]) -> None:
    monkeypatch.setattr("orchestrator.edge.hosts.get_settings", Settings)
    statuses: list[int] = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    headers = [(b"host", host.encode()) for host in hosts]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    asyncio.run(AllowedHosts(PlainTextResponse("page"))(scope, None, send))  # type: ignore[arg-type]
    assert statuses[0] == 421
