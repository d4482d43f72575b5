"""Addresses to return to, as they come from the browser: none may lead to another site."""

from urllib.parse import urlsplit


def local_path(path: str, fallback: str = "/overview") -> str:
    """`path` when it leads to a page of this site, else the fallback."""
    if not path.startswith("/") or path.startswith(("//", "/\\", "/api")) or "\\" in path or not path.isprintable():
        return fallback
    parts = urlsplit(path)
    return fallback if parts.scheme or parts.netloc else path
