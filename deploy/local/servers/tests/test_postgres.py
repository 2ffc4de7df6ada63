import os
import signal
from pathlib import Path

import psycopg
import pytest

from deploy.local.databases import create_databases
from deploy.local.errors import StackError
from deploy.local.identity import identify
from deploy.local.ports import accepts
from deploy.local.processes import DATABASES
from deploy.local.roster import Roster
from deploy.local.servers.postgres import Postgres

pytestmark = pytest.mark.integration


@pytest.fixture
def postgres(tmp_path: Path, roster: Roster) -> Postgres:
    server = Postgres(tmp_path / "postgres", roster=roster, password="pass", durable=False)
    server.start()
    return server


def names(server: Postgres) -> set[str]:
    with psycopg.connect(server.url) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}


def test_databases_are_created_once_and_survive_stop_and_crash(postgres: Postgres) -> None:
    settings = {"DATABASE_URL": postgres.url}
    create_databases(settings)
    create_databases(settings)
    wanted = {name for name, _ in DATABASES.values()}
    assert wanted <= names(postgres)
    url = postgres.url
    postgres.stop()
    assert not accepts(postgres.port)
    postgres.start()
    assert postgres.url == url
    postgres.kill()
    postgres.start()
    assert wanted <= names(postgres)


def test_a_service_with_a_database_of_its_own_gets_no_other(postgres: Postgres) -> None:
    own = {"DATABASE_URL": postgres.url, "USER_SERVICE_DATABASE_URL": "postgresql://elsewhere/u"}
    create_databases(own)
    assert "users" not in names(postgres)
    assert {"gateway", "templates"} <= names(postgres)


def test_nobody_gets_in_without_the_password(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url.replace(":pass@", ":guess@"))
    with pytest.raises(StackError, match="cannot be created"):
        create_databases({"DATABASE_URL": postgres.url.replace(":pass@", ":guess@")})


def test_stopping_does_not_wait_for_clients(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1")
        identity = identify(postgres.pid)
        postgres.stop()
        assert identity
        assert not identity.alive
        connection.close()


def test_data_of_another_version_is_not_touched(postgres: Postgres, tmp_path: Path) -> None:
    postgres.stop()
    version = tmp_path / "postgres" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(StackError, match=r"PostgreSQL 9's.*make clean"):
        postgres.start()


def test_an_interrupted_first_start_is_begun_anew(tmp_path: Path, roster: Roster) -> None:
    server = Postgres(tmp_path / "postgres", roster=roster, password="pass", durable=False)
    server.prepare()
    (tmp_path / "postgres" / "PG_VERSION").unlink()  # initdb writes it before all else is there
    server.start()
    assert "template1" in names(server)


def test_a_server_that_ends_while_it_starts_says_why(tmp_path: Path, roster: Roster) -> None:
    server = Postgres(tmp_path / "postgres", roster=roster, password="pass", durable=False)
    server.prepare()
    (tmp_path / "postgres" / "postgresql.conf").write_text("nonsense = on\n")
    with pytest.raises(StackError, match=r"(?s)ended while it started.*nonsense"):
        server.start()


def test_a_server_that_does_not_run_has_no_pid(tmp_path: Path, roster: Roster) -> None:
    server = Postgres(tmp_path / "postgres", roster=roster, password="pass", durable=False)
    with pytest.raises(StackError, match="not running"):
        _ = server.pid
    with server:
        os.kill(server.pid, signal.SIGINT)
