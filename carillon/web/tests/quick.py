"""What each test of a service would do anew: find the static files, truncate every table.

Imported by the conftest of each service.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

# Their rows are Django's own, of the migrations.
KEPT = {"django_content_type", "auth_permission"}
# Bytes of a table: what is larger is better made anew, with the rows that were deleted earlier.
GROWN = 512 * 1024

_GROWN = "SELECT 1 FROM pg_class WHERE oid = ANY(%s::regclass[]) AND pg_relation_size(oid) > %s"
# What it finds in the moment when a table is empty makes bad plans for the next test.
_NO_AUTOVACUUM = "ALTER TABLE {} SET (autovacuum_enabled = off)"


@pytest.fixture(scope="session", autouse=True)
def quick() -> Iterator[None]:
    """Half the time of a suite, otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", _finding_once())
        patch.setattr(TransactionTestCase, "_fixture_teardown", _deleting())
        yield


def _finding_once() -> Callable[[Any], None]:
    """A process makes its middleware once; here every client of a test does."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def add(middleware: Any) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    return add


def _deleting() -> Callable[[TransactionTestCase], None]:
    """TRUNCATE makes files anew, for each table and index: a hundred times what few rows cost."""
    truncate = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    names: list[str] = []

    def empty(test: TransactionTestCase) -> None:
        if names and not _any_grown(names):
            _delete_rows(names)
            return
        truncate(test)
        if not names:
            tables = connection.introspection.django_table_names(only_existing=True)
            names.extend(sorted(map(connection.ops.quote_name, set(tables) - KEPT)))
            with connection.cursor() as cursor:
                cursor.execute("; ".join(map(_NO_AUTOVACUUM.format, names)))

    return empty


def _any_grown(names: list[str]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_GROWN, [names, GROWN])
        return cursor.fetchone() is not None


def _delete_rows(names: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever is still writing is waited for, as TRUNCATE does.
        cursor.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
        # Neither the triggers of ours nor those of foreign keys.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("; ".join(f"DELETE FROM {name}" for name in names))  # noqa: S608  quoted
