"""Makes the three databases and brings them to today's schema."""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql

from deploy.local.child import Command
from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from deploy.local.processes import DATABASES
from deploy.local.roster import Roster

MIGRATION_TIMEOUT = 300.0  # seconds for one service


def create_databases(settings: Mapping[str, str]) -> None:
    """Create what is absent on DATABASE_URL's server; raises StackError.

    A service whose own setting names its database is left alone.
    """
    wanted = [name for name, setting in DATABASES.values() if not settings.get(setting)]
    try:
        with psycopg.connect(
            settings["DATABASE_URL"], autocommit=True, connect_timeout=10
        ) as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for name in set(wanted) - {row[0] for row in rows}:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise StackError(
            f"The databases {', '.join(wanted)} cannot be created on the server of DATABASE_URL: "
            f"{error}"
        ) from error


def migrate(roster: Roster, environment: Mapping[str, str]) -> None:
    """Migrate the three databases at once; raises StackError with the end of the log."""

    def run(service: str) -> None:
        argv = (sys.executable, f"{service}/manage.py", "migrate", "--no-input")
        command = Command(
            name=f"migrate-{service}", argv=argv, environment=environment, folder=ROOT
        )
        roster.run(command, timeout=MIGRATION_TIMEOUT)

    with ThreadPoolExecutor(len(DATABASES)) as pool:
        list(pool.map(run, DATABASES))
