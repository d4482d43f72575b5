"""Which network addresses a user may have the server contact: public ones, not this machine or a private network."""

import ipaddress
from urllib.parse import urlsplit

from orchestrator.settings import get_settings

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MAX_CHARS = 2_000


def is_public(address: str) -> bool:
    """Whether an IP address is public; an IPv4 address inside an IPv6 one is judged as IPv4."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def http_problem(url: str, allow_private: bool | None = None) -> str:
    """The sentence that refuses an http(s) address, else "".

    Names are resolved only when the worker connects, and checked again then: what a name resolves to may change.

    Args:
        allow_private: whether private addresses are accepted; None: as the settings say.
    """
    try:
        parts = urlsplit(url)
        host, _ = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return "This is not a web address. Check it for typing mistakes."
    if parts.scheme not in ("http", "https"):
        return "Enter an address that begins with https:// or http://."
    if not host or not url.isprintable() or " " in url or len(url) > _MAX_CHARS:
        return "This is not a web address. Check it for typing mistakes."
    if parts.username or parts.password:
        return "Leave user name and password out of the address: the address is stored and shown in clear."
    if get_settings().allow_private_urls if allow_private is None else allow_private:
        return ""
    if (_is_literal(host) and not is_public(host)) or _is_local_name(host):
        return "This address leads into a private network. Only public addresses are called from here."
    return ""


def _ascii_host(host: str) -> str:
    """The name as it is looked up, with plain digits and dots; "" where a label is empty or longer than 63 bytes."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""


def _is_literal(host: str) -> bool:
    """An IP address in any spelling that the C library reads: 127.0.0.1, 127.1, 2130706433, 0x7f.1, ::1."""
    if ":" in host:
        return True
    parts = host.rstrip(".").split(".")
    return len(parts) <= 4 and all(part.isdigit() or part.lower().startswith("0x") for part in parts)


def _is_local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    single = "." not in name and ":" not in name
    return single or name.endswith((".localhost", ".local", ".internal"))
