"""One request_id, one notification: repeats, conflicts, races, and a Redis that forgets."""

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from django.db import connection

from carillon.contracts import ids
from gateway.admission import reservations
from gateway.admission.claims import Claim
from gateway.admission.months import Month
from gateway.config import RecipientLimit
from gateway.connections import redis_client
from gateway.notifications import acceptance
from gateway.notifications.models import Notification
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import Answer, Api, inline
from gateway.tests.conftest import Tenant, forget_connections

pytestmark = [pytest.mark.integration]

REPLAYED = "Idempotent-Replayed"


class TwoHoursLater(datetime):
    """A clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(hours=2)


@pytest.mark.django_db
def test_a_repeat_is_answered_with_the_first(tenant: Tenant) -> None:
    body = inline(request_id="order-1", metadata={"a": 1, "b": 2})
    first = tenant.api.send(body)
    again = tenant.api.send({**body, "metadata": {"b": 2, "a": 1}, "priority": 5})
    assert (first.status, again.status) == (202, 200)
    assert again.data == first.data
    assert again.headers[REPLAYED] == "true"
    assert REPLAYED not in first.headers
    assert Notification.objects.count() == OutboxMessage.objects.count() == 1


@pytest.mark.django_db
def test_the_repeat_shows_what_became_of_it(tenant: Tenant) -> None:
    body = inline(request_id="order-1")
    tenant.api.send(body)
    Notification.objects.update(status="delivered")
    assert tenant.api.send(body).data["status"] == "delivered"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"priority": 6}, {"to": "eve@example.com"}, {"metadata": {"a": 1}}]
)
def test_another_body_is_a_conflict(tenant: Tenant, change: dict[str, object]) -> None:
    body = inline(request_id="order-1")
    tenant.api.send(body)
    for _ in range(2):
        assert tenant.api.send({**body, **change}).error == (422, "request_id_conflict")
    redis_client().flushdb()
    assert tenant.api.send({**body, **change}).error == (422, "request_id_conflict")
    assert Notification.objects.count() == 1


@pytest.mark.django_db
def test_a_live_key_is_not_answered_with_a_test_notification(tenant: Tenant) -> None:
    body = inline(request_id="order-1")
    assert tenant.test_api.send(body).status == 202
    assert tenant.api.send(body).error == (422, "request_id_conflict")


@pytest.mark.django_db
def test_organizations_do_not_share_request_ids(tenant: Tenant, other_tenant: Tenant) -> None:
    body = inline(request_id="order-1")
    assert tenant.api.send(body).status == other_tenant.api.send(body).status == 202


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["order-1", '"order-1"'])
def test_the_header_is_the_same_as_the_field(tenant: Tenant, header: str) -> None:
    assert tenant.api.send(inline(), Idempotency_Key=header).data["request_id"] == "order-1"
    assert tenant.api.send(inline(request_id="order-1")).status == 200
    assert tenant.api.send(inline(request_id="order-1"), Idempotency_Key=header).status == 200


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["a,b", "x" * 129, "ü", "order-2"])
def test_a_bad_or_contradicting_header_is_400(tenant: Tenant, header: str) -> None:
    answer = tenant.api.send(inline(request_id="order-1"), Idempotency_Key=header)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == ["Idempotency-Key"]


@pytest.mark.django_db
@pytest.mark.parametrize("forgetful", [False, True])
def test_the_first_answer_stands_whatever_has_changed(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, forgetful: bool
) -> None:
    """The time, the user and the quota are gone; with Redis or without its memory."""
    at = datetime.now(UTC) + timedelta(hours=1)
    soon = inline(request_id="soon", expires_at=at.isoformat())
    assert tenant.api.send(soon).status == 202
    body = {"notification_type": "sms", "user_id": "u", "content": {"body": "B"}}
    from gateway.tests.records import make_user

    tenant.users.add_user(tenant.id, make_user(external_id="u"))
    assert tenant.api.send({**body, "request_id": "r"}).status == 202
    tenant.users.records.clear()
    redis_client().flushdb()
    tenant.organization.monthly_quota = 0
    tenant.organization.save()
    monkeypatch.setattr(acceptance, "datetime", TwoHoursLater)
    refused = tenant.api.send({**soon, "request_id": "late"})
    assert (refused.error, list(refused.details)) == ((400, "validation_error"), ["expires_at"])
    for repeat in (soon, {**body, "request_id": "r"}):
        if forgetful:
            redis_client().flushdb()
        answer = tenant.api.send(repeat)
        assert (answer.status, answer.headers.get(REPLAYED)) == (200, "true"), answer.body


@pytest.mark.django_db
@pytest.mark.parametrize("forgetful", [False, True])
def test_a_replay_uses_neither_quota_nor_the_recipients_limit(
    tenant: Tenant, configure: Any, forgetful: bool
) -> None:
    configure(recipient_limit=RecipientLimit(most=3, seconds=86_400, exempt_otp=True))
    body = inline(request_id="order-1")
    assert tenant.api.send(body).status == 202
    used = redis_client().get(quota_key(tenant))
    for _ in range(5):
        if forgetful:
            redis_client().delete(marker(tenant, "order-1"))
        assert tenant.api.send(body).status == 200
    assert redis_client().get(quota_key(tenant)) == used == b"1"
    assert [tenant.api.send(inline()).status for _ in range(3)] == [202, 202, 429]


@pytest.mark.django_db
def test_a_refused_request_may_be_mended_and_sent_again_at_once(tenant: Tenant) -> None:
    body = {"notification_type": "sms", "user_id": "u", "content": {"body": "B"}, "request_id": "r"}
    assert tenant.api.send(body).error == (404, "user_not_found")
    assert tenant.api.send(inline(request_id="r")).status == 202


@pytest.mark.django_db
def test_a_request_in_flight_is_409_with_retry_after(tenant: Tenant) -> None:
    """Another process took the marker and has not stored anything yet."""
    begin(tenant, "order-1")
    answer = tenant.api.send(inline(request_id="order-1"))
    assert answer.error == (409, "request_in_progress")
    assert answer.headers["Retry-After"] == "1"
    assert not Notification.objects.exists()


@pytest.mark.django_db
def test_a_marker_left_by_a_crash_does_not_block_for_long(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "IN_FLIGHT_SECONDS", 0)
    begin(tenant, "order-1")
    assert tenant.api.send(inline(request_id="order-1")).status == 202


def test_fifty_at_once_make_one(committed_tenant: Tenant) -> None:
    answers = at_once(50, lambda: committed_tenant.api.send(inline(request_id="order-1")))
    statuses = Counter(answer.status for answer in answers)
    assert statuses[202] == 1
    assert set(statuses) <= {200, 202, 409}
    assert Notification.objects.count() == OutboxMessage.objects.count() == 1
    ids = {answer.data["notification_id"] for answer in answers if answer.status < 300}
    assert len(ids) == 1


def test_fifty_at_once_without_redis_make_one(committed_tenant: Tenant, settings: Any) -> None:
    settings.CARILLON = replace(settings.CARILLON, redis_url="redis://127.0.0.1:1/0")
    forget_connections()
    answers = at_once(50, lambda: committed_tenant.api.send(inline(request_id="order-1")))
    # Some may meet the recipient's limit while the first is not stored yet.
    assert {answer.status for answer in answers} <= {200, 202, 429}
    assert [answer.status for answer in answers].count(202) == 1
    assert Notification.objects.count() == OutboxMessage.objects.count() == 1


def test_many_ids_many_times_with_a_flush_in_the_middle(committed_tenant: Tenant) -> None:
    """Redis loses everything again and again; PostgreSQL's unique key holds."""
    stop = threading.Event()

    def flush() -> None:
        client = redis_client()
        while not stop.wait(0.005):
            client.flushdb()

    flusher = threading.Thread(target=flush)
    flusher.start()
    try:
        answers = [
            answer
            for number in range(20)
            for answer in at_once(10, lambda n=number: send_until_done(committed_tenant.api, n))
        ]
    finally:
        stop.set()
        flusher.join()
    statuses = Counter(answer.status for answer in answers)
    assert statuses == {202: 20, 200: 180}
    assert Notification.objects.count() == OutboxMessage.objects.count() == 20


def claim_of(tenant: Tenant, request_id: str) -> Claim:
    return Claim(
        notification_id=ids.new_uuid(),
        organization_id=tenant.id,
        request_id=request_id,
        at=datetime.now(UTC),
        quota=None,
        recipient=None,
        channel="email",
    )


def marker(tenant: Tenant, request_id: str) -> str:
    return claim_of(tenant, request_id).keys[3]


def begin(tenant: Tenant, request_id: str) -> None:
    """As another process does before it inserts."""
    reservations.reserve(claim_of(tenant, request_id))


def send_until_done(api: Api, number: int) -> Answer:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = api.send(inline(request_id=f"order-{number}", to=f"user{number}@example.com"))
        if answer.status != 409:
            return answer
    raise AssertionError("still in progress")


def at_once(count: int, call: Any) -> list[Answer]:
    """`call` in `count` threads that start together."""
    barrier = threading.Barrier(count)
    answers: list[Answer] = []

    def run() -> None:
        barrier.wait()
        try:
            answers.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


def quota_key(tenant: Tenant) -> str:
    return f"carillon:quota:{tenant.id}:{Month.of(datetime.now(UTC)).name}"
