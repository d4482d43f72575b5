"""What REST responses show of a field: its key where clients read an older name, or nothing of it."""

from typing import Any

JSON_KEY = "json_key"
NOT_SENT = "not_sent"


def json_key(key: str) -> dict[str, Any]:
    """The `metadata` of a dataclass field whose value REST responses show as `key`."""
    return {JSON_KEY: key}


def not_sent() -> dict[str, Any]:
    """The `metadata` of a dataclass field that REST responses leave out."""
    return {NOT_SENT: True}
