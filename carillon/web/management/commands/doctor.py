"""`manage.py doctor`: what a service needs, looked over."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from carillon.doctor.findings import Check, Finding, clock, examine, problem, version, warning, well
from carillon.doctor.redis_checks import MEND as REDIS_MEND
from carillon.doctor.redis_checks import check_redis
from carillon.doctor.report import status, write

LEAST_POSTGRESQL = (13,)
DATABASE_MEND = (
    "Is it running, is DATABASE_URL its address, are user and password right, and does it hold "
    "this service's database?"
)
FULL = 0.8  # of max_connections


class Command(BaseCommand):
    """Exits with 1 where something is wrong."""

    help = (
        "Check settings, database, migrations, Redis and clocks, and what else this service "
        "needs; say how to mend what is wrong. Changes nothing but queues that are missing."
    )
    # It says itself what is wrong with the settings.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """How to print."""
        parser.add_argument("--json", action="store_true", help="a JSON array for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding."""
        service = settings.CARILLON.service
        chosen: dict[str, tuple[Check, str]] = {
            "settings": (check_settings, "See `manage.py check --deploy`."),
            "database": (check_database, DATABASE_MEND),
            "migrations": (partial(check_migrations, service), DATABASE_MEND),
            "redis": (
                partial(
                    check_redis,
                    settings.CARILLON.redis_url,
                    must_last=settings.CARILLON.security.production,
                ),
                REDIS_MEND,
            ),
        }
        further = getattr(settings, "DOCTOR", "")
        if further:
            chosen |= import_string(further)()
        findings = examine(chosen)
        write(findings, self.stdout, as_json=options["json"])  # type: ignore[arg-type]
        if status(findings):
            # As Django's own `check` does, without a traceback; the findings have said why.
            raise SystemExit(1)


def check_settings() -> Iterator[Finding]:
    """Django's own checks, those of a deployment in production."""
    production = settings.CARILLON.security.production
    found = checks.run_checks(include_deployment_checks=production)
    for message in found:
        make = problem if message.level >= checks.ERROR else warning
        yield make(
            "settings", f"{message.id}: {message.msg}", message.hint or "See Django's checks."
        )
    if not found:
        yield well("settings", f"complete ({'production' if production else 'local'})")


def check_database() -> Iterator[Finding]:
    """Its version, clock, room, and that a commit is one. Raises Django's database errors."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), clock_timestamp(),"
            " current_setting('synchronous_commit'), current_setting('fsync'),"
            " current_setting('max_connections')::int, (SELECT count(*) FROM pg_stat_activity)"
        )
        found, at, synchronous, fsync, most, used = cursor.fetchone()
    yield version("database", found.split()[0], LEAST_POSTGRESQL, "Upgrade PostgreSQL.")
    yield clock("database", (at - datetime.now(UTC)).total_seconds())
    yield from durability(synchronous, fsync)
    wanted = int(os.environ.get("WEB_CONCURRENCY", "4")) * int(os.environ.get("WEB_THREADS", "4"))
    if used > FULL * most:
        yield warning(
            "database",
            f"{used} of {most} connections are taken",
            f"Raise max_connections, or put a pooler in front; this service alone takes {wanted}.",
        )


def durability(synchronous_commit: str, fsync: str) -> Iterator[Finding]:
    """Whether what is committed is there after a crash."""
    if "off" in {synchronous_commit, fsync}:
        yield problem(
            "database",
            f"a commit may be lost (synchronous_commit={synchronous_commit}, fsync={fsync})",
            "Set both to on: a 202 promises that the notification is stored.",
        )
    else:
        yield well("database", "what is committed is stored")


def check_migrations(service: str) -> Iterator[Finding]:
    """Whether the tables are those of this release. Raises Django's database errors."""
    executor = MigrationExecutor(connection)
    missing = [
        f"{migration.app_label}.{migration.name}"
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]
    if missing:
        yield problem(
            "migrations",
            f"{len(missing)} have not run: {', '.join(missing[:5])}",
            f"python {service}/manage.py migrate",
        )
    else:
        yield well("migrations", "all have run")
