"""The nginx example of the documentation holds: addresses, scheme, cookies, websocket and uploads arrive."""

import asyncio
import base64
import datetime
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlmodel import select

from benchmarks.studio import free_port
from orchestrator.domain.users import UserSession
from orchestrator.services.db import session_scope
from tests.api_client import PASSWORD
from tests.studio import ROOT, RedisProcess

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NAME = "studio.example.org"
EXAMPLE = ROOT / "docs" / "examples" / "nginx.conf"
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@dataclass(frozen=True)
class Proxy:
    """Where nginx listens."""

    plain: int
    secure: int

    def client(self) -> httpx.Client:
        headers = {"Host": NAME, "Origin": f"https://{NAME}", "X-Forwarded-For": "203.0.113.9"}
        return httpx.Client(base_url=f"https://127.0.0.1:{self.secure}", headers=headers, verify=False, timeout=20)


@pytest.fixture
def proxy(home: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """nginx by the example, before the studio's API."""
    backend, ports = free_port(), Proxy(free_port(), free_port())
    program = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(backend), "--workers", "1"]
    settings = {"LOREEL_PUBLIC_URL": f"https://{NAME}", "LOREEL_TRUSTED_PROXIES": "127.0.0.1"}
    served = [*program, "--factory", "tests.fakes.edge_server:create"]
    nginx = [str(NGINX), "-p", str(home), "-c", str(_configuration(home, backend, ports))]
    with (home / "server.log").open("wb") as log:
        processes = [
            subprocess.Popen(served, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log),
            subprocess.Popen(nginx, cwd=home, stdout=log, stderr=log),
        ]
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                with ports.client() as client:
                    if client.get("/api/v1/health").status_code == 200:
                        break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, (home / "server.log").read_text()
            time.sleep(0.2)
        yield ports
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)


def _configuration(home: Path, backend: int, ports: Proxy) -> Path:
    """The example as a complete configuration, with other ports and a certificate of this test."""
    _certificate(home)
    text = EXAMPLE.read_text()
    for before, after in (
        ("listen 80;", f"listen 127.0.0.1:{ports.plain};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{ports.secure} ssl;"),
        ("/etc/ssl/studio.pem", str(home / "studio.pem")),
        ("/etc/ssl/studio.key", str(home / "studio.key")),
        ("127.0.0.1:3000", f"127.0.0.1:{backend}"),
    ):
        assert before in text
        text = text.replace(before, after)
    paths = "".join(
        f"{kind}_temp_path {home}/nginx-{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.getuid() == 0 else ""
    found = home / "nginx.conf"
    found.write_text(
        f"{user}daemon off;\npid {home}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}{text}\n}}\n"
    )
    return found


def _certificate(home: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (home / "studio.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (home / "studio.key").write_bytes(key.private_bytes(kind, form, serialization.NoEncryption()))


def test_the_example_holds(proxy: Proxy) -> None:
    moved = httpx.get(f"http://127.0.0.1:{proxy.plain}/jobs?a=1", headers={"Host": NAME})
    assert (moved.status_code, moved.headers["location"]) == (301, f"https://{NAME}/jobs?a=1")
    with proxy.client() as client:
        assert client.get("/api/v1/health").headers["strict-transport-security"]
        account = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
        assert client.post("/api/v1/auth/signup", json=account).status_code == 201
        answer = client.post("/api/v1/auth/login", json={"login": "ada", "password": PASSWORD})
        assert answer.headers["set-cookie"].count("Secure") == 2
        with session_scope() as session:
            assert session.exec(select(UserSession.ip)).one() == "127.0.0.1"  # nginx's word, not the client's own
        client.cookies.set("loreel_session", answer.cookies["loreel_session"])
        upload_through(client)
    assert asyncio.run(_websocket(proxy)) == "wss 127.0.0.1"


def upload_through(client: httpx.Client) -> None:
    """An upload larger than nginx's own limit of a megabyte."""
    dataset = client.post("/api/v1/datasets", json={"name": "Motions"}).json()["id"]
    head = {"Upload-Length": str(3 * 2**20), "Tus-Resumable": "1.0.0"}
    metadata = {"Upload-Metadata": f"filename YS5tcDQ=,dataset_id {_base64(dataset)}"}
    begun = client.post("/api/v1/uploads", headers=head | metadata)
    assert begun.status_code == 201, begun.text
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0", "Tus-Resumable": "1.0.0"}
    sent = client.patch(begun.headers["location"], content=b"x" * 3 * 2**20, headers=kind)
    assert (sent.status_code, sent.headers["upload-offset"]) == (204, str(3 * 2**20))


def _base64(text: str) -> str:

    return base64.b64encode(text.encode()).decode()


async def _websocket(proxy: Proxy) -> str:
    url = f"https://127.0.0.1:{proxy.secure}/_event"
    headers = {"Host": NAME, "Origin": f"https://{NAME}"}
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers, ssl=False) as line:
        return await line.receive_str(timeout=10)
