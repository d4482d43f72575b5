"""The channels through which a notification is delivered: a signed webhook, and e-mail over SMTP."""

import asyncio
import hashlib
import hmac
import json
import smtplib
import ssl
import time
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from typing import Any

import httpx

from orchestrator.domain.web_addresses import split_address
from orchestrator.services.notifications.addresses import Unreachable, public_address
from orchestrator.settings import get_settings

TIMEOUT_S = 8.0
TOTAL_S = 15.0
"""Of one webhook: a receiver that sends a byte now and then would keep the connection for hours."""


class NotDelivered(Exception):
    """The receiver did not accept it; the message says why and is shown in the user's settings."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA256 of `timestamp.body`; the signed time lets a receiver refuse replayed requests."""
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def post_webhook(url: str, secret: str, notification: dict[str, Any]) -> None:
    """Sends the notification as signed JSON. Redirects are not followed: they could lead into the private network.

    Raises:
        NotDelivered: the receiver did not answer with 2xx.
    """
    parts = split_address(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    body = json.dumps(notification, separators=(",", ":")).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "Loreel",
        "X-Loreel-Timestamp": timestamp,
        "X-Loreel-Signature": sign(secret, timestamp, body),
        "X-Loreel-Delivery": str(notification.get("id", "")),
    }
    try:
        address = public_address(host, port)
        target = httpx.URL(url).copy_with(host=address)
        sni = {"sni_hostname": host}  # the checked address is called, and the certificate is verified for the name
        status = asyncio.run(_status_of_post(target, body, headers, sni))
    except Unreachable as error:
        raise NotDelivered(str(error)) from error
    except TimeoutError as error:
        raise NotDelivered(f"{host} did not answer within {TOTAL_S:.0f} seconds.") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotDelivered(f"{host} could not be reached ({type(error).__name__}).") from error
    if not 200 <= status < 300:
        raise NotDelivered(f"{host} answered {status}.")


async def _status_of_post(url: httpx.URL, body: bytes, headers: dict[str, str], extensions: dict[str, Any]) -> int:
    async with (
        asyncio.timeout(TOTAL_S),
        httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", url, content=body, headers=headers, extensions=extensions) as answer,
    ):
        return answer.status_code


def send_email(address: str, title: str, body: str, link: str) -> None:
    """Sends a plain-text mail through the SMTP server of the settings.

    Raises:
        NotDelivered: the mail server did not accept it.
    """
    settings = get_settings()
    mail = EmailMessage()
    mail["Subject"] = title
    mail["From"] = formataddr(("Loreel", settings.smtp_from or f"loreel@{settings.smtp_host}"))
    mail["To"] = address
    mail["Date"] = formatdate(localtime=False)
    mail.set_content("\n\n".join(part for part in (title, body, link) if part) + "\n")
    try:
        secure = ssl.create_default_context()
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S, context=secure
            )
        else:
            server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=secure)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            server.send_message(mail)
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"The mail server did not accept it ({type(error).__name__}).") from error
