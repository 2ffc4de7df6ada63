"""`manage.py audit_delivery`: has everything that was accepted come to an end?"""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from carillon.contracts.status import Status
from gateway.deliveries.selectors import OrganizationAudit, audit_deliveries
from gateway.outbox.database import connect

# The ends, then what is open, in the order of a notification's life.
ENDS = (
    Status.DELIVERED,
    Status.FAILED,
    Status.BOUNCED,
    Status.REJECTED,
    Status.CANCELLED,
    Status.EXPIRED,
)
OPEN = (
    Status.SCHEDULED,
    Status.ACCEPTED,
    Status.QUEUED,
    Status.PROCESSING,
    Status.RETRYING,
    Status.SENT,
)
HEADINGS = ("organization", "total", "ended", *ENDS, *OPEN, "forgotten", "name")


class Command(BaseCommand):
    """Prints accepted = the sum of the ends, for each organization."""

    help = (
        "Print, per organization, how many notifications were accepted and how they ended. Fails "
        "where one waits without a row in the outbox (nothing would ever move it)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to insist on."""
        parser.add_argument(
            "--settled",
            action="store_true",
            help="also fail where something has not ended yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits with 1, naming the problem, where the sums do not come out."""
        with connect(
            "audit", idle_in_transaction=30.0, options="-c statement_timeout=0"
        ) as session:
            audits = audit_deliveries(session)
        lines = [HEADINGS, *(_line(audit) for audit in audits)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
        for line in lines:
            self.stdout.write(_aligned(line, widths))
        forgotten = sum(audit.forgotten for audit in audits)
        if forgotten:
            raise CommandError(
                f"{forgotten} wait without a row in the outbox: run `manage.py reconcile`."
            )
        unsettled = [audit for audit in audits if not audit.settled]
        if options["settled"] and unsettled:
            missing = sum(audit.accepted - audit.ended for audit in unsettled)
            raise CommandError(f"{missing} have not ended.")
        self.stdout.write("Accepted is the sum of the ends and of what is on its way.")


def _line(audit: OrganizationAudit) -> tuple[str, ...]:
    counts = (
        audit.accepted,
        audit.ended,
        *(audit.by_status.get(status, 0) for status in (*ENDS, *OPEN)),
        audit.forgotten,
    )
    return (audit.organization_id, *map(str, counts), audit.name)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = zip(line, widths, strict=True)
    cells = [
        first[0].ljust(first[1]),
        *(text.rjust(width) for text, width in numbers),
        last[0],
    ]
    return "  ".join(cells)
