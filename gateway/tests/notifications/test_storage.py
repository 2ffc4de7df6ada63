"""The one statement behind a 202, when connections and databases fail."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from carillon.testing.proxy import TCPProxy
from gateway.notifications import storage
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant

pytestmark = pytest.mark.integration


def counts() -> tuple[int, int, int]:
    return (
        Notification.objects.count(),
        NotificationContent.objects.count(),
        OutboxMessage.objects.count(),
    )


def kill_connection() -> None:
    """As a restart of PostgreSQL, or an idle connection that a firewall cut."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    parameters = connection.get_connection_params()
    with psycopg.connect(
        host=parameters["host"],
        port=parameters["port"],
        user=parameters["user"],
        password=parameters.get("password"),
        dbname=parameters["dbname"],
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))


def test_a_connection_found_dead_is_replaced(committed_tenant: Tenant) -> None:
    assert committed_tenant.api.send(inline()).status == 202
    kill_connection()
    assert committed_tenant.api.send(inline()).status == 202
    assert counts() == (2, 2, 2)


def test_an_insert_whose_answer_was_lost_is_not_made_twice(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement ran, then the connection died: the repeat finds its own row."""
    insert = storage._insert
    runs = []

    def run_and_lose_the_answer(values: storage.Values) -> bool:
        runs.append(values)
        stored = insert(values)
        if len(runs) == 1:
            connection.close()
            raise OperationalError("server closed the connection unexpectedly")
        return stored

    monkeypatch.setattr(storage, "_insert", run_and_lose_the_answer)
    assert committed_tenant.api.send(inline(request_id="r")).status == 202
    assert len(runs) == 2
    assert counts() == (1, 1, 1)


def test_a_statement_that_fails_on_a_good_connection_is_not_repeated(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def time_out(values: storage.Values) -> bool:
        runs.append(values)
        raise OperationalError("canceling statement due to statement timeout")

    connection.ensure_connection()
    monkeypatch.setattr(storage, "_insert", time_out)
    answer = committed_tenant.api.send(inline(request_id="r"))
    assert answer.error == (503, "service_unavailable")
    assert len(runs) == 1
    monkeypatch.undo()
    assert committed_tenant.api.send(inline(request_id="r")).status == 202


def test_a_database_that_is_gone_is_503_and_never_202(
    committed_tenant: Tenant, settings: Any
) -> None:
    committed_tenant.api.get("/api/v1/organizations/me/")
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = 1
    try:
        answer = committed_tenant.api.send(inline())
    finally:
        connection.close()
        connection.settings_dict["PORT"] = port
    assert answer.error == (503, "service_unavailable")
    assert answer.headers["Retry-After"]
    assert counts() == (0, 0, 0)


def test_a_database_behind_a_partition_is_503_before_the_client_gives_up(
    committed_tenant: Tenant, settings: Any
) -> None:
    """Its connections stay open and carry nothing: no timeout of the server's is ever heard of."""
    parameters = connection.settings_dict
    host, port = parameters["HOST"], parameters["PORT"]
    connection.close()
    with TCPProxy((host, int(port))) as proxy:
        parameters["PORT"] = proxy.port
        try:
            assert committed_tenant.api.send(inline(request_id="before")).status == 202
            usual = settings.CARILLON
            settings.CARILLON = replace(usual, database_patience=1.0)
            proxy.black_hole()
            with pytest.MonkeyPatch.context() as patch:
                # Whoever lost the connection tries another.
                patch.setitem(parameters["OPTIONS"], "connect_timeout", 2)
                # Without patience there would be no answer before the partition heals.
                answer = committed_tenant.api.send(inline(request_id="r"))
            proxy.heal()
            settings.CARILLON = usual
            assert answer.error == (503, "service_unavailable")
            assert committed_tenant.api.send(inline(request_id="r")).status in {200, 202}
        finally:
            connection.close()
            parameters["PORT"] = port
    assert counts() == (2, 2, 2)
