"""Erasing a user: nothing personal is left, nothing more is sent, whenever it is asked for."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.status import ENDS, Status
from gateway.connections import redis_client
from gateway.deliveries.models import DeliveryAttempt
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection, connect
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.window import take_window
from gateway.retention.models import ErasedUser
from gateway.retention.services import erasure
from gateway.retention.services.erasure import erase_again
from gateway.tests.calls import NOTIFICATIONS, Answer
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import (
    make_dead_letter,
    make_event,
    make_notification,
    make_outbox_message,
)
from gateway.tests.notifications.test_idempotency import quota_key
from gateway.tests.policies import POLICIES
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

ERASE = "/internal/users/erase/"
USER = ids.new_id(ids.USER)
WAITING = {Status.SCHEDULED, Status.ACCEPTED, Status.RETRYING}


def erase(organization_id: str, body: object = None, secret: str | None = None) -> Answer:
    own = django_settings.CARILLON.internal_secrets[0]
    headers = {
        "X-Internal-Secret": own if secret is None else secret,
        "X-Organization-ID": organization_id,
    }
    response = Client().post(
        ERASE,
        json.dumps({"user_id": USER} if body is None else body),
        content_type="application/json",
        headers={name: value for name, value in headers.items() if value},
    )
    return Answer(response.status_code, dict(response.headers), json.loads(response.content))


def about(tenant: Tenant, status: Status = Status.DELIVERED, **fields: Any) -> Notification:
    return make_notification(tenant.organization, user_id=USER, status=status, **fields)


@pytest.fixture
def session(transactional_db: None) -> Any:
    with connect("test", idle_in_transaction=30) as session:
        yield session


def test_what_waits_is_cancelled_and_everything_cleared(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    made = {status: about(tenant, status, metadata={"name": "Ada"}) for status in Status}
    for status in WAITING:
        make_outbox_message(made[status], due_in=3_600)
    letter = make_dead_letter(tenant.organization, user_id=USER)
    DeliveryAttempt.objects.create(
        notification=letter.notification, number=1, channel="email", outcome="failed",
        error_message="no such user ada@example.com", started_at=datetime.now(UTC),
        finished_at=datetime.now(UTC), duration_ms=1,
    )  # fmt: skip
    answer = erase(tenant.id)
    assert (answer.status, answer.data) == (200, {"cancelled": 3, "cleared": 13})
    assert not OutboxMessage.objects.exists()
    assert not NotificationContent.objects.exists()
    assert DeliveryAttempt.objects.get().error_message == ""
    letter.refresh_from_db()
    assert letter.error_message == ""
    for status, notification in made.items():
        notification.refresh_from_db()
        assert (notification.metadata, notification.error_message) == ({}, "")
        if status in WAITING:
            assert (notification.status, notification.reason) == ("cancelled", "user_deleted")
        else:
            assert notification.status == status
    data = tenant.api.get(f"{NOTIFICATIONS}{made[Status.SCHEDULED].pk}/").data
    assert (data["reason"], data["recipient"]) == ("user_deleted", None)
    assert data["timeline"][-1]["reason"] == "user_deleted"
    assert erase(tenant.id).data == {"cancelled": 0, "cleared": 0}


def test_others_are_left_alone(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    make_notification(tenant.organization, user_id=ids.new_id(ids.USER))
    make_notification(tenant.organization)
    make_notification(user_id=USER)
    assert erase(tenant.id).data == {"cancelled": 0, "cleared": 0}
    assert NotificationContent.objects.count() == 3
    assert not Notification.objects.filter(status="cancelled").exists()


def test_in_batches(committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for _ in range(5):
        make_outbox_message(about(committed_tenant, Status.ACCEPTED))
    assert erase(committed_tenant.id).data == {"cancelled": 5, "cleared": 5}


def test_what_was_never_queued_gives_its_quota_back(committed_tenant: Tenant) -> None:
    about(committed_tenant, Status.ACCEPTED)
    about(committed_tenant, Status.RETRYING, attempt=2)
    redis_client().set(quota_key(committed_tenant), 2)
    for _ in range(2):
        assert erase(committed_tenant.id).status == 200
        assert redis_client().get(quota_key(committed_tenant)) == b"1"


def test_a_repeat_at_the_same_time_does_no_harm(committed_tenant: Tenant) -> None:
    for _ in range(20):
        make_outbox_message(about(committed_tenant, Status.ACCEPTED))
    answers = at_once([lambda: erase(committed_tenant.id)] * 4)
    assert {answer.status for answer in answers} == {200}
    assert sum(answer.data["cancelled"] for answer in answers) == 20
    assert ErasedUser.objects.count() == 1


def test_what_the_relay_holds_is_waited_for(committed_tenant: Tenant, session: Connection) -> None:
    notification = about(committed_tenant, Status.ACCEPTED)
    make_outbox_message(notification)
    assert len(take_window(session, most=10, now=datetime.now(UTC)).messages) == 1
    from gateway.retention.apis import erase as api

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "LOCK_TIMEOUT", "-c lock_timeout=100")
        answer = erase(committed_tenant.id)
    assert answer.error == (409, "notification_busy")
    session.rollback()
    assert erase(committed_tenant.id).data == {"cancelled": 1, "cleared": 1}
    # Nothing is left for the relay.
    assert take_window(session, most=10, now=datetime.now(UTC)).size == 0


def test_no_further_attempt_follows_one_that_was_under_way(
    committed_tenant: Tenant, session: Connection
) -> None:
    notification = about(committed_tenant, Status.QUEUED)
    erase(committed_tenant.id)
    deferred = make_event(notification, Outcome.DEFERRED, error_message="ada@example.com is busy")
    apply_events(session, [read(deferred)], POLICIES)
    assert OutboxMessage.objects.exists()
    done = erase_again(session, now=datetime.now(UTC))
    assert done.cancelled == 1
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == ("cancelled", "user_deleted")
    assert notification.error_message == ""
    assert DeliveryAttempt.objects.get().error_message == ""
    assert not OutboxMessage.objects.exists()


def test_what_was_stored_just_after_is_erased_too(
    committed_tenant: Tenant, session: Connection
) -> None:
    erase(committed_tenant.id)
    make_outbox_message(about(committed_tenant, Status.ACCEPTED))
    done = erase_again(session, now=datetime.now(UTC))
    assert (done.cancelled, done.cleared) == (1, 1)


def test_it_is_remembered_for_a_week(committed_tenant: Tenant, session: Connection) -> None:
    erase(committed_tenant.id)
    now = datetime.now(UTC)
    erase_again(session, now=now + timedelta(days=6))
    assert ErasedUser.objects.exists()
    erase_again(session, now=now + timedelta(days=8))
    assert not ErasedUser.objects.exists()


@pytest.mark.django_db
def test_the_secret_and_the_organization_are_needed() -> None:
    organization = ids.new_id(ids.ORGANIZATION)
    for secret in ("", "wrong", "é"):
        assert erase(organization, secret=secret).error == (401, "authentication_required")
    assert erase("").error == (400, "missing_organization")
    assert erase("org_1").error == (400, "missing_organization")
    assert Client().get(ERASE).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_fields"),
        ({"user_id": ""}, "validation_error"),
        ({"user_id": 5}, "validation_error"),
        ({"user_id": "x" * 129}, "validation_error"),
        ({"user_id": USER, "all": True}, "validation_error"),
        ({"user_id": "\x00"}, "invalid_json"),
        ([], "invalid_json"),
    ],
)
def test_a_bad_body_is_400(body: object, code: str) -> None:
    assert erase(ids.new_id(ids.ORGANIZATION), body).error == (400, code)


def test_it_is_no_part_of_the_public_documentation() -> None:
    schema = json.loads(Client().get("/api/schema/").content)
    assert not [path for path in schema["paths"] if path.startswith("/internal/")]


def test_ends_are_ends() -> None:
    """What is waiting, under way and over is all there is."""
    assert WAITING | ENDS | {Status.QUEUED, Status.PROCESSING, Status.SENT} == set(Status)
