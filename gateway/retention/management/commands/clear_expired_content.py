"""`manage.py clear_expired_content`: clear what ended long ago, now."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from carillon.settings import Environment
from gateway.outbox.database import connect
from gateway.retention.config import RetentionSettings
from gateway.retention.services.expiry import clear_expired

IDLE_IN_TRANSACTION = 30.0


class Command(BaseCommand):
    """What the events process does on a timer."""

    help = (
        "Clear the content, the address and the provider's messages of notifications that ended "
        "more than RETENTION_DAYS days ago. Counts, ids, statuses and times stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Another age."""
        parser.add_argument("--days", type=int, help="in place of RETENTION_DAYS")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError, or psycopg.Error where the database is away: run it again."""
        if options["days"] is not None and options["days"] < 0:
            raise CommandError("--days cannot be negative.")
        settings = RetentionSettings.read(Environment()).of_days(options["days"])
        total = 0
        with connect("clear_expired_content", idle_in_transaction=IDLE_IN_TRANSACTION) as session:
            while True:
                cleared = clear_expired(session, settings, now=datetime.now(UTC))
                total += cleared
                if cleared < settings.batch:
                    break
                self.stdout.write(f"{total} so far")
        self.stdout.write(f"{total} notifications were cleared.")
