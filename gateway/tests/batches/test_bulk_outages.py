"""Bulk requests while something is down: accepted as a whole, or refused and nothing stored."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection

from carillon.record_cache import user_cache
from carillon.web.postgresql import patience
from gateway.batches import turns
from gateway.batches.models import Batch
from gateway.connections import redis_client
from gateway.notifications.models import Notification
from gateway.outbox.models import OutboxMessage
from gateway.tests.batches.requests import accepted, inline, send, templated, to
from gateway.tests.conftest import Tenant, forget_connections
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

UNREACHABLE = "redis://127.0.0.1:1/0"


def known(tenant: Tenant, count: int) -> list[dict[str, str]]:
    for n in range(count):
        tenant.users.add_user(tenant.id, make_user(external_id=f"u{n}"))
    return [{"user_id": f"u{n}"} for n in range(count)]


def test_the_user_service_is_down(tenant: Tenant) -> None:
    """Not even those without a user: the client repeats the request as it is."""
    recipients = known(tenant, 2)
    tenant.users.down = True
    body = inline(*recipients, *to("a"), request_id="r")
    answer = send(tenant, body)
    assert answer.error == (503, "user_service_unavailable")
    assert "Retry-After" in answer.headers
    assert not Batch.objects.exists()
    tenant.users.down = False
    forget_connections()
    assert send(tenant, body).data["accepted"] == 3


def test_stale_users_are_used_while_it_is_down(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipients = known(tenant, 2)
    tenant.users.decide(tenant.id)
    cache = user_cache(redis_client())
    for each in recipients:
        record: Any = tenant.users.records[tenant.id, each["user_id"]]
        cache.write(tenant.id, [each["user_id"]], record)
    monkeypatch.setattr("carillon.record_cache.FRESH_SECONDS", -1)
    tenant.users.down = True
    assert accepted(tenant, inline(*recipients))["accepted"] == 2
    answer = send(tenant, inline(*recipients, {"user_id": "unknown"}))
    assert answer.error == (503, "user_service_unavailable")


def test_fresh_users_are_not_asked_for(tenant: Tenant) -> None:
    recipients = known(tenant, 3)
    tenant.users.decide(tenant.id)
    cache = user_cache(redis_client())
    for each in recipients[:2]:
        record: Any = tenant.users.records[tenant.id, each["user_id"]]
        cache.write(tenant.id, [each["user_id"]], record)
    tenant.users.calls.clear()
    assert accepted(tenant, inline(*recipients))["accepted"] == 3
    (call,) = tenant.users.calls
    assert call.body == b'{"user_ids":["u2"]}'


def test_the_template_service_is_down(tenant: Tenant) -> None:
    tenant.templates.down = True
    answer = send(tenant, templated(*to("a")))
    assert answer.error == (503, "template_service_unavailable")


def test_redis_is_down(tenant: Tenant, settings: Any) -> None:
    tenant.templates.add_template(tenant.id, make_template())
    recipients = known(tenant, 2)
    settings.CARILLON = replace(settings.CARILLON, redis_url=UNREACHABLE)
    forget_connections()
    body = templated(*recipients, *to("a"), variables={"name": "you"}, request_id="r")
    first, again = send(tenant, body), send(tenant, body)
    assert (first.status, first.data["accepted"]) == (202, 3)
    assert (again.status, again.data) == (200, first.data)
    assert OutboxMessage.objects.count() == 3


def test_the_database_fails(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise OperationalError("the database is gone")

    with monkeypatch.context() as outage:
        outage.setattr(Batch, "save", fail)
        answer = send(tenant, inline(*to("a"), request_id="r"))
    assert answer.error == (503, "service_unavailable")
    assert not Notification.objects.exists()
    assert send(tenant, inline(*to("a"), request_id="r")).status == 202


def test_a_statement_that_fails_takes_all_with_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three: PostgreSQL refuses it, within the pipeline."""
    from gateway.batches.services import storing

    parameters, sent = storing._parameters, []

    def broken(*args: Any) -> dict[str, Any]:
        sent.append(args)
        made = parameters(*args)
        return {**made, "channel": "x" * 20} if len(sent) == 2 else made

    monkeypatch.setattr(storing, "_parameters", broken)
    answer = send(tenant, inline(*to(*range(1_200))))
    assert answer.error == (500, "internal_error")
    monkeypatch.undo()
    assert not Notification.objects.exists()
    assert not Batch.objects.exists()
    # The connection is as good as before.
    assert connection.is_usable()
    assert accepted(tenant, inline(*to("a")))["accepted"] == 1


def test_two_at_once_in_one_process_take_turns(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)
    with turns.own_turn():
        answer = send(tenant, inline(*to("a")))
    assert answer.error == (503, "too_busy")
    assert send(tenant, inline(*to("a"))).status == 202


class Clock:
    """The time of the patience with the database, as if everything else took none."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    return clock


def test_a_slow_upload_does_not_use_up_the_patience_with_the_database(
    tenant: Tenant, settings: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.batches.apis import bulk

    read = bulk._read_large

    def slowly(request: Any) -> None:
        read(request)
        clock.now += 60

    monkeypatch.setattr(bulk, "_read_large", slowly)
    settings.CARILLON = replace(settings.CARILLON, database_patience=50.0)
    assert accepted(tenant, inline(*to("a")))["accepted"] == 1


def test_each_part_has_the_patience_with_the_database(
    tenant: Tenant, settings: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.batches.services import intake

    prepare = intake.Intake._prepare

    def slowly(self: Any, some: Any) -> Any:
        clock.now += 40
        return prepare(self, some)

    monkeypatch.setattr(intake.Intake, "_prepare", slowly)
    settings.CARILLON = replace(settings.CARILLON, database_patience=50.0)
    assert accepted(tenant, inline(*to(*range(1_300))))["accepted"] == 1_300
