"""The live records that travel from trainer to page: one JSON object in the stream field `d`.

Every record has job, attempt, seq, t (ISO 8601, UTC) and kind; then by kind:
metric: step, epoch, values; log: level, message; progress: step, total, epoch, eta_s; status: status, error;
note: name, message, and samples: step, epoch, samples, which the ledger keeps; noted: it now does.
"""

import json
from typing import Any


def pack(record: dict[str, Any]) -> bytes:
    """One record as compact JSON; NaN and infinities become null, which every reader understands."""
    try:
        return json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        return json.dumps(_finite(record), separators=(",", ":"), allow_nan=False).encode()


def unpack(raw: bytes | str) -> dict[str, Any] | None:
    """The record, or None when the bytes hold none: a reader skips it and goes on."""
    try:
        record = json.loads(raw)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("job"), int) else None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
