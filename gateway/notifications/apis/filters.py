"""The query of a list: what may be asked, and what is wrong with what was."""

from datetime import datetime

import msgspec
from rest_framework.request import Request

from carillon.contracts.channels import CHANNELS
from carillon.contracts.status import Status
from carillon.web.errors import ValidationFailed
from carillon.web.times import in_utc
from gateway.notifications.selectors import Filters

_ALLOWED = (
    "status",
    "type",
    "user_id",
    "template_code",
    "search",
    "created_after",
    "created_before",
    "sort",
    "page",
    "limit",
)
_TEXT_LENGTH = 128


def requested_filters(request: Request) -> Filters:
    """Raises ValidationFailed: a filter that were ignored would show what was not asked for."""
    query = request.query_params
    wrong: dict[str, list[str]] = {}
    for name in query:
        if name not in _ALLOWED:
            wrong[name] = [f"Unknown parameter. Allowed: {', '.join(_ALLOWED)}."]
        elif len(query.getlist(name)) > 1:
            wrong[name] = ["Send it once."]
        elif len(query[name]) > _TEXT_LENGTH or "\x00" in query[name]:
            wrong[name] = [f"Expected up to {_TEXT_LENGTH} characters."]
    times: dict[str, datetime | None] = {}
    for name in ("created_after", "created_before"):
        try:
            times[name] = _time(query.get(name, ""))
        except ValueError:
            wrong[name] = [
                "Expected an ISO 8601 time with an offset, such as 2026-01-31T09:00:00Z."
            ]
    for name, options in (
        ("status", tuple(status.value for status in Status)),
        ("type", tuple(CHANNELS)),
        ("sort", ("-created_at", "created_at")),
    ):
        if query.get(name) and query[name] not in options:
            wrong[name] = [f"Expected one of {', '.join(options)}."]
    if wrong:
        raise ValidationFailed(details=wrong)
    return Filters(
        status=query.get("status", ""),
        type=query.get("type", ""),
        user_id=query.get("user_id", ""),
        template_code=query.get("template_code", ""),
        search=query.get("search", ""),
        newest_first=query.get("sort", "-created_at") != "created_at",
        **times,
    )


def _time(text: str) -> datetime | None:
    """Raises ValueError. A space stands for the plus that a URL's decoding ate."""
    if not text:
        return None
    try:
        time = msgspec.convert(text.replace(" ", "+"), datetime)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if time.tzinfo is None:
        raise ValueError("no offset")
    return in_utc(time)
