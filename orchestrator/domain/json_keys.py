"""Keys of REST responses that differ from the name of their field, because clients read the older name."""

from typing import Any

JSON_KEY = "json_key"


def json_key(key: str) -> dict[str, Any]:
    """The `metadata` of a dataclass field whose value REST responses show as `key`."""
    return {JSON_KEY: key}
