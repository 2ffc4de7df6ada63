"""What has become of everything that was accepted, per organization."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from carillon.contracts import ids
from carillon.contracts.status import ENDS, Status
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
