"""A page of the list: by number for people, by cursor for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rest_framework.request import Request

from carillon.contracts.channels import CHANNELS
from carillon.contracts.status import Status
from carillon.web.envelope import page_meta
from carillon.web.errors import ValidationFailed
from carillon.web.openapi import Schema, answer
from carillon.web.paging import LIMIT_DEFAULT, LIMIT_MOST, Page, requested_page
from gateway.documentation import enveloped, query_parameter
from gateway.notifications.apis import examples
from gateway.notifications.apis.filters import requested_filters
from gateway.notifications.cursors import (
    FIRST,
    InvalidCursor,
    Position,
    read_cursor,
    write_cursor,
)
from gateway.notifications.models import Notification
from gateway.notifications.selectors import (
    COUNTED_MOST,
    Filters,
    count_notifications,
    list_after,
    list_notifications,
)
from gateway.notifications.shapes import SummaryShape

# How many are reached by page number: beyond, one goes on by cursor.
REACHED_MOST = 10_000

MESSAGE = "Notifications retrieved"
DESCRIPTION = f"""\
The newest first. Addresses are masked unless the key has the scope `read`.

**For people:** `page` and `limit`. `total` is counted up to {COUNTED_MOST:,}, or as far as there is
a page after this one; pages reach {REACHED_MOST:,}.

**For machines:** `cursor=first`, then the `next_cursor` of each answer's `meta`, with the same
filters and sort, until it is null. Notifications that come in meanwhile move nothing: none is shown
twice or left out. Nothing is counted: `total`, `page` and `total_pages` are null. With
`sort=created_at` the end is a moving one: what was accepted in the last few seconds may still be
on its way into the list, so follow it with a `created_before` that lies a minute back.
"""

_TIME = {"type": "string", "format": "date-time"}
_COUNT = {"type": ["integer", "null"], "minimum": 0, "description": "Null with a cursor."}
_META: Schema = {
    "type": "object",
    "required": ["total", "limit", "page", "total_pages", "has_next", "has_previous"],
    "properties": {
        "total": _COUNT,
        "limit": {"type": "integer", "minimum": 1},
        "page": _COUNT,
        "total_pages": _COUNT,
        "has_next": {"type": "boolean"},
        "has_previous": {"type": "boolean"},
        "next_cursor": {
            "type": ["string", "null"],
            "description": "With a cursor alone: what leads on, null at the end.",
        },
    },
}
ANSWER = answer(
    list[SummaryShape],
    "A page of notifications",
    example=enveloped([examples.SUMMARY], MESSAGE, limit=LIMIT_DEFAULT),
    meta=_META,
)
PARAMETERS = [
    query_parameter("status", {"enum": [s.value for s in Status]}, "In this status."),
    query_parameter("type", {"enum": list(CHANNELS)}, "On this channel."),
    query_parameter("user_id", {"type": "string"}, "To this user (our id)."),
    query_parameter(
        "recipient",
        {"type": "string"},
        "To this address, as a whole; of several devices the first counts. Nothing is found once "
        "retention has cleared the address.",
    ),
    query_parameter("template_code", {"type": "string"}, "From this template."),
    query_parameter("batch_id", {"type": "string"}, "Of this bulk request."),
    query_parameter("search", {"type": "string"}, "The request_id, or how it begins."),
    query_parameter("created_after", _TIME, "From this time on."),
    query_parameter("created_before", _TIME, "Before this time."),
    query_parameter("sort", {"enum": ["-created_at", "created_at"]}, "Default: -created_at."),
    query_parameter(
        "page",
        {"type": "integer", "minimum": 1},
        f"From 1; page times limit is {REACHED_MOST} at most.",
    ),
    query_parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT_DEFAULT},
        "Notifications on a page.",
    ),
    query_parameter("cursor", {"type": "string"}, "`first`, then each answer's `next_cursor`."),
]


@dataclass(frozen=True, slots=True)
class Listing:
    """Notifications with their contents, and the `meta` that goes with them."""

    found: Sequence[Notification]
    meta: Mapping[str, object]


def requested_listing(request: Request, organization_id: str) -> Listing:
    """The page that was asked for. Raises ValidationFailed."""
    page = requested_page(request)
    filters, cursor = requested_filters(request)
    if cursor:
        return _by_cursor(organization_id, filters, cursor, page.limit)
    return _by_number(organization_id, filters, page)


def _by_number(organization_id: str, filters: Filters, page: Page) -> Listing:
    end = page.number * page.limit
    if end > REACHED_MOST:
        raise ValidationFailed(
            details={"page": [f"Pages reach {REACHED_MOST} notifications; go on with cursor."]}
        )
    found = list_notifications(organization_id, filters)[page.slice]
    most = min(REACHED_MOST, max(COUNTED_MOST, end + 1))
    total = count_notifications(organization_id, filters, most)
    return Listing(list(found), page_meta(total=total, limit=page.limit, page=page.number))


def _by_cursor(organization_id: str, filters: Filters, cursor: str, limit: int) -> Listing:
    found = list_notifications(organization_id, filters)
    if cursor != FIRST:
        try:
            after = read_cursor(cursor, organization_id, filters)
        except InvalidCursor:
            raise ValidationFailed(
                details={"cursor": ["Expected first, or the next_cursor of the same list."]}
            ) from None
        found = list_after(organization_id, filters, after.created_at, after.id)
    # One more tells whether there is a next page.
    rows = list(found[: limit + 1])
    has_next = len(rows) > limit
    rows = rows[:limit]
    following = None
    if has_next:
        last = Position(rows[-1].created_at, rows[-1].pk)
        following = write_cursor(last, organization_id, filters)
    meta: dict[str, object] = {
        "total": None,
        "limit": limit,
        "page": None,
        "total_pages": None,
        "has_next": has_next,
        "has_previous": cursor != FIRST,
        "next_cursor": following,
    }
    return Listing(rows, meta)
