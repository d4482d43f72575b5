"""Takes secrets out of whatever is written to a log: by the name of a value, and by the shape of a text."""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
_DEEPEST = 6
"""Levels of nested values that are looked into; what lies deeper is not logged."""

_SECRET_NAME = re.compile(
    r"pass(?:word|wd|phrase)|secret|authorization|cookie|credential|csrf|ticket|signature|"
    r"api[-_ ]?key|access[-_ ]?key|account[-_ ]?key|private[-_ ]?key|service[-_ ]?account|"
    r"(?:^|[-_ .])(?:token|tokens|key|session|pwd|sas)$|token[-_]?(?:hash|value)|bearer",
    re.IGNORECASE,
)
_NAMES = (
    r"[\w.-]{0,40}(?:pass(?:word|wd|phrase)|secret|api[-_]?key|access[-_]?key|account[-_]?key|private[-_]?key|"
    r"token|ticket|signature|credential)s?[\w-]{0,20}"
)
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s@/'\"]{0,256}:[^\s@'\"]{1,256}@", re.IGNORECASE)
_HEADER = re.compile(
    r"""(['"]?\b(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key)['"]?\s*[:=,]\s*)"""
    r"""(?:b?'[^'\n]*'|b?"[^"\n]*"|[^\n'"]+)""",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    rf"""(['"]?\b(?!\w*?(?:max|min|num|new|prompt|completion|total)_tokens\b){_NAMES}['"]?\s*(?:=|:)\s*)(?:b?'(?:[^'\\\n]|\\.)*'|b?"(?:[^"\\\n]|\\.)*"|[^\s,;&)\]}}'"]+)""",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"loreel_[a-z]+=[^\s;,'\"]+"
    r"|\blrl_[\w-]{6,}"
    r"|\bhf_[A-Za-z0-9]{6,}"
    r"|\bBearer\s+[^\s'\",;]+"
    r"|\bBasic\s+[A-Za-z0-9+/=]{8,}"
    r"|\bA(?:KIA|SIA)[A-Z0-9]{16}\b"
    r"|\bgAAAA[\w=-]{20,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*"
    r"|\$argon2\w*\$[^\s'\"]+"
    r"|\b(?:ghp|gho|ghs|github_pat|glpat|xox[abprs]|sk)[-_][A-Za-z0-9_-]{16,}"
    r"|hooks\.slack\.com/services/[^\s'\"]+"
    r"|discord(?:app)?\.com/api/webhooks/[^\s'\"]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_PYDANTIC_INPUT = re.compile(r"input_value=.*?(?=, input_type=)", re.DOTALL)
_HINTS = re.compile(
    r"pass|secret|token|key|ticket|signature|credential|authorization|cookie|://|lrl_|hf_|bearer|basic|loreel_|"
    r"akia|asia|gaaaa|eyj|argon2|ghp|gho|ghs|github_pat|glpat|xox|sk[-_]|slack|discord|input_value",
    re.IGNORECASE,
)
"""A text without any of these words holds nothing that the patterns would find."""


def redact_text(text: str) -> str:
    """The text without passwords, tokens, cookies, keys and passwords inside addresses."""
    if not _HINTS.search(text):
        return text
    text = _SHAPES.sub(REDACTED, text)
    text = _URL_PASSWORD.sub(rf"\1{REDACTED}@", text)
    text = _HEADER.sub(rf"\1{REDACTED}", text)
    text = _ASSIGNED.sub(rf"\1{REDACTED}", text)
    return _PYDANTIC_INPUT.sub(f"input_value={REDACTED}", text)


def redact(value: Any, name: str = "", depth: int = 0) -> Any:
    """The value as a log may have it; numbers, times and None under any name stay."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name and _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if depth >= _DEEPEST:
        return REDACTED
    if isinstance(value, Mapping):
        return {redact_text(str(key)): redact(inner, str(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner, "", depth + 1) for inner in value]
    return redact_text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))
