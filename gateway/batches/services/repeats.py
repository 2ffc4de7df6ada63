"""Recipients with a request_id of their own that was used before, in this request or an earlier."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from carillon.web.errors import ApiError
from gateway.admission.errors import RequestIDConflict, RequestInProgress
from gateway.notifications.asked import Asked

_FIND = """
    SELECT request_id, request_digest FROM notifications_notification
    WHERE organization_id = %s AND request_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Repeats:
    """By index. `known` were answered before: None for the same notification, else the refusal.

    `follows` names the index of the same notification earlier in this request, which is not in
    `known`: what becomes of that one becomes of both.
    """

    known: Mapping[int, ApiError | None]
    follows: Mapping[int, int]


def find_repeats(organization_id: UUID, read: Sequence[Asked | ApiError]) -> Repeats:
    """Raises Django's database errors."""
    own = {
        index: asked
        for index, asked in enumerate(read)
        if isinstance(asked, Asked) and asked.request_id
    }
    stored = _digests(organization_id, {asked.request_id for asked in own.values()})
    known: dict[int, ApiError | None] = {}
    follows: dict[int, int] = {}
    first: dict[str, int] = {}
    for index, asked in own.items():
        digest = stored.get(asked.request_id)
        if digest is not None:
            known[index] = _compared(asked, digest)
            continue
        earlier = first.setdefault(asked.request_id, index)
        if earlier == index:
            continue
        if own[earlier].digest == asked.digest:
            follows[index] = earlier
        else:
            known[index] = RequestIDConflict()
    return Repeats(known, follows)


def find_overtaken(organization_id: UUID, lost: Mapping[int, Asked]) -> dict[int, ApiError | None]:
    """Those whose request_id somebody else stored while this request was on its way."""
    stored = _digests(organization_id, {asked.request_id for asked in lost.values()})
    return {index: _compared(asked, stored.get(asked.request_id)) for index, asked in lost.items()}


def _compared(asked: Asked, digest: bytes | None) -> ApiError | None:
    if digest is None:
        # Deleted a moment after it was stored: whoever repeats this is answered anew.
        return RequestInProgress()
    return None if digest == asked.digest else RequestIDConflict()


def _digests(organization_id: UUID, request_ids: Collection[str]) -> dict[str, bytes]:
    if not request_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (organization_id, list(request_ids)))
        return {request_id: bytes(digest) for request_id, digest in cursor.fetchall()}
