"""`manage.py reconcile`: resolve what is stuck, now."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from carillon.settings import Environment
from gateway.deliveries.config import ReconcileSettings
from gateway.deliveries.reconciler import count
from gateway.deliveries.services.reconciliation import (
    Reconciled,
    resolve_stuck,
    restore_promises,
)
from gateway.deliveries.timers import IDLE_IN_TRANSACTION
from gateway.outbox.database import Connection, connect


class Command(BaseCommand):
    """What the events process does on a timer, and a search for promises without a row."""

    help = (
        "Publish stuck notifications again, fail those that are beyond hope, and give waiting "
        "ones back the outbox row that they lack."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The bounds, where they shall differ from the settings."""
        parser.add_argument("--stuck-after", type=float, help="seconds (RECONCILE_STUCK_AFTER)")
        parser.add_argument("--give-up-after", type=float, help="seconds (RECONCILE_GIVE_UP_AFTER)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises psycopg.Error where the database is away: run it again."""
        settings = ReconcileSettings.read(Environment())
        settings = settings.bounded(options["stuck_after"], options["give_up_after"])
        # A look through the whole table may take its time.
        unlimited = "-c statement_timeout=0"
        with connect(
            "reconcile", idle_in_transaction=IDLE_IN_TRANSACTION, options=unlimited
        ) as session:
            done = _repeat(resolve_stuck, session, settings)
            restored = _repeat(restore_promises, session, settings)
        self.stdout.write(
            f"{done.requeued} published again, {done.unknown} failed as outcome_unknown, "
            f"{restored.requeued} put back into the outbox."
        )


def _repeat(
    resolve: Callable[..., Reconciled], session: Connection, settings: ReconcileSettings
) -> Reconciled:
    """Batch by batch, until there is nothing left."""
    total = Reconciled()
    while True:
        done = resolve(session, settings, now=datetime.now(UTC))
        count(done)
        total += done
        if done.total < settings.most:
            return total
