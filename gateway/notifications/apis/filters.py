"""The query of a list: what may be asked, and what is wrong with what was."""

from rest_framework.request import Request

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS
from carillon.contracts.status import Status
from carillon.web.addresses import InvalidAddress, normalize_email, normalize_phone_number
from carillon.web.queries import Query
from gateway.notifications.bodies import TOKEN_LENGTH
from gateway.notifications.cursors import LENGTH_MOST
from gateway.notifications.selectors import Filters

_NAMES = (
    "status",
    "type",
    "user_id",
    "recipient",
    "template_code",
    "batch_id",
    "search",
    "created_after",
    "created_before",
    "sort",
    "cursor",
)


def requested_filters(request: Request) -> tuple[Filters, str]:
    """The filters, and the text of a cursor. Raises ValidationFailed.

    A filter that were ignored would show what was not asked for.
    """
    query = Query(request, *_NAMES)
    filters = Filters(
        status=query.choice("status", tuple(status.value for status in Status)),
        type=query.choice("type", tuple(CHANNELS)),
        user_id=query.text("user_id"),
        recipient=_as_stored(query.text("recipient", TOKEN_LENGTH)),
        template_code=query.text("template_code"),
        batch_id=query.text("batch_id"),
        search=query.text("search"),
        created_after=query.time("created_after"),
        created_before=query.time("created_before"),
        newest_first=query.choice("sort", ("-created_at", "created_at")) != "created_at",
    )
    cursor = query.text("cursor", LENGTH_MOST)
    if filters.batch_id and ids.parse_id(ids.BATCH, filters.batch_id) is None:
        query.refuse("batch_id", "Expected a batch_… id.")
    if cursor and request.query_params.get("page"):
        query.refuse("cursor", "Send either page or cursor.")
    query.check()
    return filters, cursor


def _as_stored(recipient: str) -> str:
    """The address in the form that sending stores; anything else is looked for as it is."""
    if recipient.startswith((" ", "+")):
        # A URL's decoding makes a space of a plus.
        recipient = f"+{recipient[1:]}"
    for normalize in (normalize_email, normalize_phone_number):
        try:
            return normalize(recipient)
        except InvalidAddress:
            continue
    return recipient
