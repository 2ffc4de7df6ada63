"""What has become of everything that was accepted: per organization, and what is a dead letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from carillon.contracts import ids
from carillon.contracts.messages import DeliveryPolicy
from carillon.contracts.status import ENDS, Status
from carillon.errors import Reason
from gateway.deliveries.errors import DeadLetterNotFound
from gateway.deliveries.models import DeadLetter
from gateway.outbox.database import Connection

WAITING = frozenset({Status.SCHEDULED, Status.ACCEPTED, Status.RETRYING})

# One statement, so that all its counts are of the same moment.
_AUDIT = """
    SELECT g.id, g.name, n.status, count(*),
           count(*) FILTER (WHERE n.status = ANY(%s) AND o.notification_id IS NULL)
    FROM notifications_notification n
    JOIN organizations_organization g ON g.id = n.organization_id
    LEFT JOIN outbox_outboxmessage o ON o.notification_id = n.id
    GROUP BY g.id, g.name, n.status
"""


@dataclass(slots=True)
class OrganizationAudit:
    """An organization's notifications by status; `forgotten` wait without a row in the outbox."""

    organization_id: str
    name: str
    by_status: dict[Status, int] = field(default_factory=dict)
    forgotten: int = 0

    @property
    def accepted(self) -> int:
        """All that were ever accepted and not deleted."""
        return sum(self.by_status.values())

    @property
    def ended(self) -> int:
        """The sum of the ends."""
        return sum(self.by_status.get(status, 0) for status in ENDS)

    @property
    def open(self) -> Mapping[Status, int]:
        """What has not ended, by status."""
        return {status: many for status, many in self.by_status.items() if status not in ENDS}

    @property
    def settled(self) -> bool:
        """Accepted is the sum of the ends."""
        return self.ended == self.accepted


def audit_deliveries(connection: Connection) -> list[OrganizationAudit]:
    """Every organization that has notifications, by name. Reads the whole table.

    Raises psycopg.Error.
    """
    found: dict[UUID, OrganizationAudit] = {}
    rows = connection.execute(_AUDIT, ([status.value for status in WAITING],)).fetchall()
    for id_, name, status, many, forgotten in rows:
        audit = found.setdefault(id_, OrganizationAudit(ids.format_id(ids.ORGANIZATION, id_), name))
        audit.by_status[Status(status)] = many
        audit.forgotten += forgotten
    connection.commit()
    return sorted(found.values(), key=lambda audit: (audit.name, audit.organization_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilters:
    """Which dead letters; what is empty does not filter."""

    channel: str = ""
    reason: str = ""
    template_code: str = ""
    mode: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None


def list_dead_letters(organization_id: str, filters: DeadLetterFilters) -> "QuerySet[DeadLetter]":
    """An organization's, the newest first, each with its notification."""
    exact: dict[str, Any] = {
        "notification__channel": filters.channel,
        "reason": filters.reason,
        "notification__template_code": filters.template_code,
        "notification__mode": filters.mode,
        "created_at__gte": filters.created_after,
        "created_at__lt": filters.created_before,
    }
    return (
        DeadLetter.objects.filter(organization_id=organization_id)
        .filter(**{name: value for name, value in exact.items() if value})
        .select_related("notification")
    )


def list_replayable(
    organization_id: str, filters: DeadLetterFilters, *, now: datetime
) -> "QuerySet[DeadLetter]":
    """Those that a replay by filter puts back, the oldest first.

    Left out is what was replayed, has expired or has lost its content. What may be sent once at
    most and whose outcome is unknown is only replayed by who asks for that very reason.
    """
    found = list_dead_letters(organization_id, filters).filter(
        Q(notification__expires_at=None) | Q(notification__expires_at__gt=now),
        replayed_at=None,
        notification__content__isnull=False,
    )
    if filters.reason != Reason.OUTCOME_UNKNOWN:
        found = found.exclude(
            reason=Reason.OUTCOME_UNKNOWN, notification__delivery=DeliveryPolicy.AT_MOST_ONCE
        )
    return found.order_by("created_at", "id")


def get_dead_letter(organization_id: str, dead_letter_id: str) -> DeadLetter:
    """One with its notification. Raises DeadLetterNotFound."""
    if ids.parse_id(ids.DEAD_LETTER, dead_letter_id) is None:
        raise DeadLetterNotFound
    found = (
        DeadLetter.objects.select_related("notification")
        .filter(organization_id=organization_id, pk=dead_letter_id)
        .first()
    )
    if found is None:
        raise DeadLetterNotFound
    return found
