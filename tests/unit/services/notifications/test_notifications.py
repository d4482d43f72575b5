"""Notifications reach the bell, a web server with a valid signature, and a mail server; not those of other users."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from aiosmtpd.controller import Controller
from sqlmodel import col, select

from benchmarks.studio import free_port
from orchestrator.domain.base import utcnow
from orchestrator.domain.errors import Invalid
from orchestrator.domain.notifications import NotificationDelivery, NotificationPreference
from orchestrator.domain.users import Actor
from orchestrator.services.db import session_scope
from orchestrator.services.notifications import channels, preferences
from orchestrator.services.notifications.addresses import Unreachable, public_address
from orchestrator.services.notifications.channels import sign
from orchestrator.services.notifications.delivery import deliver_due
from orchestrator.services.notifications.notifications import list_notifications, mark_read, notify
from orchestrator.services.training import lifecycle
from orchestrator.settings import get_settings
from tests.studio import RedisProcess, launch, make_person, make_things


class Hook(BaseHTTPRequestHandler):
    """A webhook's other side; answers with the next of `answers`."""

    got: ClassVar[list[tuple[dict[str, str], bytes]]] = []
    answers: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.got.clear()
    Hook.answers.clear()
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


@pytest.fixture
def slow_hook() -> Iterator[str]:
    """A receiver whose answer never ends: a byte of its head every 50 ms."""
    server = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def drip(line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not closing.wait(0.05):
                line.sendall(b"a")

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not closing.is_set():
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://localhost:{server.getsockname()[1]}/slow"
    closing.set()
    server.close()


class Mailbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content)
        return "250 OK"


def allow(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"LOREEL_{name.upper()}", value)
    get_settings.cache_clear()


def test_a_finished_job_rings_its_owners_bell_only(redis_server: RedisProcess, ada: Actor) -> None:
    eve = make_person("eve")
    job_id = launch(ada, make_things(ada))
    with session_scope() as session:
        lifecycle.claim(session, job_id, 1, "w")
        lifecycle.mark_running(session, job_id, 1, 1)
        lifecycle.mark_lost(session, job_id, 1, "The worker fell silent.")
    with session_scope() as session:
        lifecycle.claim(session, job_id, 2, "w")
        lifecycle.mark_running(session, job_id, 2, 1)
        lifecycle.complete(session, job_id, 2)
    with session_scope() as session:
        found = list_notifications(session, ada)
        assert [(row.kind, row.job_id) for row in found.items] == [("completed", job_id), ("recovered", job_id)]
        assert found.unread == 2
        assert list_notifications(session, eve).items == []
        assert mark_read(session, eve) == 0
        assert mark_read(session, ada, [found.items[0].id]) == 1
        assert list_notifications(session, ada).unread == 1


def test_a_webhook_is_signed_and_tried_again(
    redis_server: RedisProcess, ada: Actor, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, allow_private_urls="1")
    Hook.answers.append(500)
    with session_scope() as session:
        secret = preferences.save_preferences(session, ada, hook, False).webhook_secret
    with session_scope() as session:
        notify(session, ada.user_id, "completed", "motions is done", "It went well.")
    assert deliver_due() == 0
    assert deliver_due() == 0, "it waits before it tries again"
    with session_scope() as session:
        [delivery] = session.exec(select(NotificationDelivery)).all()
        assert (delivery.tries, delivery.error) == (1, "localhost answered 500.")
        delivery.next_at = utcnow() - timedelta(seconds=1)
        session.add(delivery)
    assert deliver_due() == 1
    headers, body = Hook.got[-1]
    assert headers["X-Loreel-Signature"] == sign(secret, headers["X-Loreel-Timestamp"], body)
    assert json.loads(body)["title"] == "motions is done"
    assert headers["Host"].startswith("localhost:")


def test_a_webhook_secret_is_stored_sealed_and_renewed_when_the_key_has_changed(
    ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://hooks.example.org/loreel"
    with session_scope() as session:
        secret = preferences.save_preferences(session, ada, address, False).webhook_secret
        assert preferences.save_preferences(session, ada, address, False).webhook_secret == secret
        stored = session.exec(select(NotificationPreference.webhook_secret)).one()
        assert stored
        assert secret not in stored
    allow(monkeypatch, secret_key="another key")
    with session_scope() as session:
        assert preferences.get_preferences(session, ada).webhook_secret == ""
        renewed = preferences.save_preferences(session, ada, address, False).webhook_secret
        assert renewed.startswith("whs_")
        assert renewed != secret


def test_a_slow_webhook_delays_nobody_else(
    redis_server: RedisProcess, ada: Actor, hook: str, slow_hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, allow_private_urls="1")
    monkeypatch.setattr(channels, "TOTAL_S", 3.0)
    eve = make_person("eve")
    with session_scope() as session:
        preferences.save_preferences(session, eve, slow_hook, False)
        preferences.save_preferences(session, ada, hook, False)
    with session_scope() as session:
        for number in range(30):
            notify(session, eve.user_id, "completed", f"job {number}")
        notify(session, ada.user_id, "completed", "motions is done")
    assert deliver_due() == 1
    assert [json.loads(body)["title"] for _, body in Hook.got] == ["motions is done"]
    with session_scope() as session:
        tried = session.exec(select(NotificationDelivery).where(col(NotificationDelivery.tries) == 1)).all()
        assert len(tried) == 2, "one limit of time for each receiver and round"
        assert "did not answer within 3 seconds" in max(delivery.error for delivery in tried)


def test_private_addresses_are_not_called(
    redis_server: RedisProcess, ada: Actor, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in ("localhost", "127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"):
        with pytest.raises(Unreachable):
            public_address(host, 80)
    allow(monkeypatch, allow_private_urls="1")
    with session_scope() as session:
        preferences.save_preferences(session, ada, hook, False)
        notify(session, ada.user_id, "failed", "motions failed")
    allow(monkeypatch, allow_private_urls="0")  # as when a public name leads to a private address by now
    assert deliver_due() == 0
    assert Hook.got == []
    with session_scope() as session:
        assert "private address" in preferences.get_preferences(session, ada).last_error


def test_mail_arrives(redis_server: RedisProcess, ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Mailbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        allow(monkeypatch, smtp_host="127.0.0.1", smtp_port=str(port), smtp_security="none")
        with session_scope() as session:
            preferences.save_preferences(session, ada, "", True)
            preferences.send_test(session, ada)
        assert deliver_due() == 1
    finally:
        server.stop()
    [mail] = box.mails
    assert b"Subject: This is a test notification" in mail
    assert b"To: ada@example.org" in mail


BAD_ADDRESSES = [
    "ftp://example.org",
    "example.org/hook",
    "http://",
    "https://me:pw@example.org",
    "http://[bad",
    "https://a.example:99999/",
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://localhost.:80/",
    "https://a.example/\r\nX: y",
    "https://a b.example/",
    "http://.",
    f"https://{'a' * 64}.example/",
    "https://a.example/" + "a" * 2_000,
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_bad_preferences_get_a_sentence(ada: Actor, address: str) -> None:
    with session_scope() as session:
        with pytest.raises(Invalid) as refused:
            preferences.save_preferences(session, ada, address, False)
        assert refused.value.problems[0][0] == "webhook_url"
        with pytest.raises(Invalid):
            preferences.save_preferences(session, ada, "", True)  # no mail server is set
