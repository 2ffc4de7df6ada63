"""Repeats of a bulk request: told from the first by PostgreSQL, and while it is in flight by Redis.

The unique (organization, request_id) of batches is the truth. The marker in Redis spares a repeat
the work, and its client the wait, while the first is being accepted.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.admission.errors import RequestIDConflict
from gateway.admission.scripts import RedisDown, scripts
from gateway.batches.asked import AcceptedBatch, BulkAsked
from gateway.batches.models import Batch
from gateway.batches.presentation import show_bulk

# Longer than any request takes; one that died keeps its request_id busy for as long.
IN_FLIGHT_SECONDS = 60


class InFlight(Exception):
    """A request with this request_id is being accepted."""


@contextmanager
def claimed(asked: BulkAsked) -> Iterator[None]:
    """Keep the request_id to this request while it is being accepted. Raises InFlight."""
    if not asked.request_id:
        yield
        return
    organization_id = asked.caller.organization_id
    digest = hashlib.sha256(asked.request_id.encode()).hexdigest()[:32]
    marker = f"carillon:bulk_request:{organization_id}:{digest}"
    began = time.monotonic()
    try:
        is_first = scripts().command("SET", marker, 1, "NX", "EX", IN_FLIGHT_SECONDS) is not None
    except RedisDown:
        # PostgreSQL lets one of them through; the others find it there.
        is_first = True
    if not is_first:
        raise InFlight
    try:
        yield
    finally:
        if time.monotonic() - began < IN_FLIGHT_SECONDS - 1:
            _forget(marker)


def find_earlier(asked: BulkAsked) -> AcceptedBatch | None:
    """The answer of the first request with this request_id. Raises RequestIDConflict."""
    if not asked.request_id:
        return None
    found = Batch.objects.filter(
        organization_id=asked.caller.organization_id, request_id=asked.request_id
    ).first()
    if found is None:
        return None
    if bytes(found.request_digest) != asked.digest:
        raise RequestIDConflict
    return AcceptedBatch(shape=show_bulk(found), is_replay=True)


def _forget(marker: str) -> None:
    try:
        scripts().command("DEL", marker)
    except RedisDown:
        # It goes by itself.
        return
