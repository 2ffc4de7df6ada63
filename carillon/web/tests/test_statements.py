"""Statements that are prepared once for a connection and sent encoded."""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from django.db import connection as django_connection

from carillon.web.postgresql.statements import Connection, Statement

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ECHO = "SELECT %(text)b::text, %(number)t::int, %(id)b::uuid, %(text)b::text"


@pytest.fixture
def connection(django_db_setup: None) -> Iterator[Connection]:
    """One of its own, outside of any transaction."""
    parameters = django_connection.get_connection_params()
    parameters.pop("context", None)
    parameters.pop("cursor_factory", None)
    parameters.pop("prepare_threshold", None)
    with psycopg.connect(**parameters, autocommit=True) as own:
        yield own


def values(text: bytes = b"\xc3\xbc", number: bytes | None = b"-7") -> dict[str, bytes | None]:
    return {"text": text, "number": number, "id": UUID(int=5).bytes}


def prepared(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM pg_prepared_statements WHERE NOT from_sql")
    return [name for (name,) in rows if name.startswith("test_")]


def test_values_arrive_as_they_are(connection: Connection) -> None:
    statement = Statement("test_echo", ECHO)
    result = statement.run(connection, values())
    row = [result.get_value(0, column) for column in range(4)]
    assert row == ["ü".encode(), b"-7", str(UUID(int=5)).encode(), "ü".encode()]
    assert statement.run(connection, values(number=None)).get_value(0, 1) is None


def test_it_is_prepared_once_for_each_connection(connection: Connection) -> None:
    statement = Statement("test_once", ECHO)
    for _ in range(3):
        assert statement.run(connection, values()).ntuples == 1
    assert prepared(connection) == ["test_once"]


def test_a_pooler_without_prepared_statements_sees_none(connection: Connection) -> None:
    connection.prepare_threshold = None
    assert Statement("test_never", ECHO).run(connection, values()).ntuples == 1
    assert prepared(connection) == []


def test_an_error_is_psycopgs_and_leaves_the_connection_usable(connection: Connection) -> None:
    statement = Statement("test_error", ECHO)
    with pytest.raises(psycopg.errors.CharacterNotInRepertoire):
        statement.run(connection, values(text=b"cut\x00short"))
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        statement.run(connection, values(number=b"many"))
    assert statement.run(connection, values()).ntuples == 1


def test_a_statement_that_cannot_be_prepared_says_why_each_time(connection: Connection) -> None:
    statement = Statement("test_nonsense", "SELECT nonsense")
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedColumn):
            statement.run(connection, {})


def test_it_is_part_of_a_transaction_that_it_is_the_first_of(connection: Connection) -> None:
    connection.execute("CREATE TEMPORARY TABLE counted (number int)")
    statement = Statement("test_first", "INSERT INTO counted VALUES (%(number)t)")
    connection.autocommit = False
    statement.run(connection, {"number": b"1"})
    connection.rollback()
    row = connection.execute("SELECT count(*) FROM counted").fetchone()
    assert row == (0,)


def test_a_connection_that_was_cut_is_an_operational_error(connection: Connection) -> None:
    statement = Statement("test_cut", ECHO)
    statement.run(connection, values())
    with psycopg.connect(connection.info.dsn, password=connection.info.password) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError):
        statement.run(connection, values())
    assert connection.closed


def roll_back(connection: Connection) -> None:
    """As psycopg does: with a statement of its own prepared, it forgets all of them."""
    connection.execute("SELECT 1", prepare=True)
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT 2", prepare=True)
    connection.execute("SELECT 3")


def test_what_a_rollback_made_the_server_forget_is_prepared_again(connection: Connection) -> None:
    statement = Statement("test_forgotten", ECHO)
    statement.run(connection, values())
    roll_back(connection)
    assert prepared(connection) == []
    assert statement.run(connection, values()).ntuples == 1
    assert prepared(connection) == ["test_forgotten"]


def test_a_transaction_after_a_rollback_does_not_end_of_it(connection: Connection) -> None:
    statement = Statement("test_inside", ECHO)
    statement.run(connection, values())
    roll_back(connection)
    with connection.transaction():
        assert statement.run(connection, values()).ntuples == 1
        assert connection.execute("SELECT 4").fetchone() == (4,)
