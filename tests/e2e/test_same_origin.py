"""A build speaks to the host and port it was opened on, and other origins are refused."""

import httpx
from playwright.sync_api import Page

from benchmarks.studio import Studio


def test_the_page_speaks_to_its_own_port_only(page: Page, app_server: Studio) -> None:
    hosts: set[str] = set()
    sockets: list[str] = []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto("/login/")
    page.wait_for_function("() => document.querySelector('input[type=password]')")
    page.wait_for_timeout(1500)
    own = app_server.url.removeprefix("http://")
    assert hosts == {own}
    assert sockets, "the page opened no websocket"
    assert all(f"ws://{own}/_event" in url for url in sockets), sockets


def test_another_sites_page_cannot_open_the_websocket(app_server: Studio) -> None:
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    def status(origin: str) -> int:
        url = f"{app_server.url}/_event/?EIO=4&transport=websocket"
        with httpx.stream("GET", url, headers=handshake | {"Origin": origin}, timeout=5) as answer:
            return answer.status_code

    assert status("https://evil.example") in (400, 403)
    assert status(app_server.url) == 101
