"""Tells the user service of what was kept, until it has answered."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import msgspec
import structlog
from django.conf import settings

from carillon.clients.http import Answer, InternalHTTP, ServiceDown
from carillon.contracts import ids
from carillon.observability.correlation import bound, new_correlation_id
from gateway.outbox.database import Connection

log = structlog.get_logger(__name__)

TOGETHER = 100
NOTE_CHARACTERS = 200

# Claimed by being put off: no lock is held while the user service is called, and whoever dies on
# the way has it told again. The wait doubles from 15 s to an hour.
_CLAIM = """
    UPDATE suppressions_addressreport claimed
    SET attempts = claimed.attempts + 1,
        due_at = now() + least(3600, 15 * power(2, least(claimed.attempts, 10)))
            * interval '1 second'
    FROM (
        SELECT id FROM suppressions_addressreport
        WHERE due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE claimed.id = due.id
    RETURNING claimed.id, organization_id, channel, address, reason, source, note
"""
_FORGET = "DELETE FROM suppressions_addressreport WHERE id = ANY(%s)"
_COUNT = "SELECT count(*) FROM suppressions_addressreport"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of those that were due; `refused` will never be taken, and is forgotten."""

    suppressed: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def settled(self) -> int:
        """How many are done with."""
        return self.suppressed + self.refused


@dataclass(frozen=True, slots=True)
class _Report:
    id: int
    organization: UUID
    channel: str
    address: str
    reason: str
    source: str
    note: str


def tell_due(connection: Connection) -> Told:
    """Tell of up to TOGETHER reports. Raises psycopg.Error; what was told may be told again."""
    due = [_Report(*row) for row in connection.execute(_CLAIM, (TOGETHER,)).fetchall()]
    connection.commit()
    outcomes: dict[str, list[int]] = {}
    with bound(new_correlation_id()):
        for report in due:
            outcomes.setdefault(_tell(report), []).append(report.id)
    failed = outcomes.pop("failed", [])
    settled = [id_ for ids_ in outcomes.values() for id_ in ids_]
    if settled:
        connection.execute(_FORGET, (settled,))
        connection.commit()
    counts = {outcome: len(ids_) for outcome, ids_ in outcomes.items()}
    return Told(**counts, failed=len(failed))


def count_pending(connection: Connection) -> int:
    """How many the user service does not know of yet. Raises psycopg.Error."""
    row = connection.execute(_COUNT).fetchone()
    connection.commit()
    return int(row[0]) if row else 0


def _tell(report: _Report) -> str:
    """A field of Told."""
    try:
        answer = _suppress(report)
    except ServiceDown:
        return "failed"
    if answer.status in {200, 201}:
        return "suppressed"
    log.error("the user service refused a report", status=answer.status, channel=report.channel)
    return "refused" if answer.status == 400 else "failed"


def _suppress(report: _Report) -> Answer:
    body = {
        "channel": report.channel,
        "address": report.address,
        "reason": report.reason,
        "source": report.source or "delivery",
        "note": report.note[:NOTE_CHARACTERS],
    }
    return _user_service().call(
        "POST",
        "/internal/suppressions/",
        organization_id=ids.format_id(ids.ORGANIZATION, report.organization),
        body=msgspec.json.encode(body),
    )


@cache
def _user_service() -> InternalHTTP:
    return InternalHTTP(
        "user_service", settings.GATEWAY.user_service_url, settings.CARILLON.internal_secrets[0]
    )
