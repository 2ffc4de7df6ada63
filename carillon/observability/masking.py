"""Masking: no address, number, key or secret reaches a log, a metric or an error message."""

import re
from collections.abc import MutableMapping
from typing import Any

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)*", re.UNICODE)
_PHONE = re.compile(r"(?<![\w.+-])\+\d[\d ().-]{5,18}\d(?!\w)")
_API_KEY = re.compile(r"\borg_(live|test)_[A-Za-z0-9]{4,}[\w-]*")
_URL_PASSWORD = re.compile(r"(?<=://)[^\s:/@]*:[^\s/@]+(?=@)")

SECRET_FIELDS = frozenset(
    {
        "api_key",
        "authorization",
        "content",
        "html_content",
        "internal_secret",
        "password",
        "push_token",
        "secret",
        "token",
        "variables",
        "x-api-key",
        "x-internal-secret",
    }
)


def mask_address(value: str) -> str:
    """`jo***@example.com`, `+44***03`, `abcd***`: enough to recognise, too little to use."""
    local, at, domain = value.rpartition("@")
    if at:
        return f"{local[:2]}***@{domain}"
    if value.startswith("+") or value.isdigit():
        return f"{value[:3]}***{value[-2:]}"
    return f"{value[:4]}***"


def mask_text(text: str) -> str:
    """`text` with every email address, E.164 number, API key and URL password in it masked."""
    if "://" in text:
        text = _URL_PASSWORD.sub("***", text)
    if "@" in text:
        text = _EMAIL.sub(lambda found: mask_address(found.group()), text)
    if "+" in text:
        text = _PHONE.sub(lambda found: mask_address(found.group()), text)
    if "org_" in text:
        text = _API_KEY.sub(r"org_\1_***", text)
    return text


def mask_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor that masks every value of a log event."""
    for key, value in event.items():
        event[key] = "***" if key.lower() in SECRET_FIELDS else _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {
            key: "***" if str(key).lower() in SECRET_FIELDS else _masked(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return mask_text(str(value))
