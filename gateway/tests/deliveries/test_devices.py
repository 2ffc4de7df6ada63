"""A push to a user's several devices: per-device attempts, whom a retry is for, dead devices."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts.messages import (
    Address,
    DeliveryJob,
    DeviceResult,
    Outcome,
    PushContent,
    decode_job,
    encode,
)
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.connections import user_service
from gateway.deliveries.dead_devices import DeviceDisabler
from gateway.deliveries.models import DeadDevice, DeadLetter, DeliveryAttempt
from gateway.deliveries.services.reading import read_event
from gateway.deliveries.services.reconciliation import resolve_stuck
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.window import take_window
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import Apply
from gateway.tests.deliveries.test_reconciliation import SETTINGS
from gateway.tests.doubles import Reply
from gateway.tests.factories import make_dead_letter, make_event, make_notification
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

A, B, C = (Address(f"token-{name}", "fcm", f"device_{name}") for name in "abc")


def push(*addresses: Address, **fields: Any) -> Notification:
    content = fields.pop("content", PushContent("Title"))
    return make_notification(
        **{"status": Status.QUEUED, "channel": "push", **fields},
        addresses=addresses or (A, B, C),
        content=content,
    )


def device(address: Address, outcome: Outcome, attempt: int = 1, **fields: Any) -> DeviceResult:
    return DeviceResult(
        device_id=address.device_id,
        platform=address.platform,
        attempt=attempt,
        outcome=outcome,
        provider="fcm",
        **fields,
    )


TOOK_A = device(A, Outcome.DELIVERED, provider_message_id="id-a")
LATER_B = device(B, Outcome.DEFERRED, reason=Reason.PROVIDER_UNAVAILABLE)
DEAD_C = device(C, Outcome.FAILED, reason=Reason.DEAD_TOKEN, error_code="UNREGISTERED")


def partly(notification: Notification, *devices: DeviceResult, **fields: Any) -> Any:
    """The event of an attempt that asks for another."""
    return make_event(
        notification,
        Outcome.DEFERRED,
        **{
            "provider": "fcm",
            "reason": Reason.PROVIDER_UNAVAILABLE,
            "devices": devices or (TOOK_A, LATER_B, DEAD_C),
            **fields,
        },
    )


def next_job(session: Connection) -> DeliveryJob:
    """The job that the relay would publish, once its time has come."""
    OutboxMessage.objects.update(available_at=datetime.now(UTC) - timedelta(seconds=1))
    (message,) = take_window(session, most=10, now=datetime.now(UTC)).messages
    session.rollback()
    return decode_job(message.body)


def test_each_attempt_keeps_what_became_of_its_devices(apply: Apply) -> None:
    notification = push()
    apply(partly(notification))
    notification.refresh_from_db()
    again = (TOOK_A, DEAD_C, device(B, Outcome.DELIVERED, 2))
    apply(make_event(notification, Outcome.DELIVERED, devices=again))
    first, second = DeliveryAttempt.objects.all()
    assert [each["device_id"] for each in first.devices or ()] == [
        "device_a",
        "device_b",
        "device_c",
    ]
    assert [each["device_id"] for each in second.devices or ()] == ["device_b"]


def test_a_retry_is_for_the_devices_that_may_still_be_reached(
    apply: Apply, session: Connection
) -> None:
    notification = push()
    apply(partly(notification))
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.RETRYING, 2)
    assert notification.sent_at is not None
    job = next_job(session)
    assert (job.attempt, job.addresses) == (2, (B,))
    assert job.settled == (TOOK_A, DEAD_C)


def test_a_retry_of_a_retry_is_for_fewer(apply: Apply, session: Connection) -> None:
    notification = push()
    apply(partly(notification, TOOK_A, LATER_B, device(C, Outcome.DEFERRED)))
    notification.refresh_from_db()
    second = (TOOK_A, device(B, Outcome.DELIVERED, 2), device(C, Outcome.DEFERRED, 2))
    apply(partly(notification, *second))
    job = next_job(session)
    assert (job.attempt, job.addresses) == (3, (C,))
    assert job.settled == second[:2]


def test_where_no_device_is_done_a_retry_is_for_all(apply: Apply, session: Connection) -> None:
    notification = push(A, B)
    apply(partly(notification, device(A, Outcome.DEFERRED), device(B, Outcome.DEFERRED)))
    assert (next_job(session).addresses, next_job(session).settled) == ((A, B), ())
    assert NotificationContent.objects.get().settled is None


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.FAILED, Reason.DEAD_TOKEN),
        (Outcome.BOUNCED, Reason.INVALID_ADDRESS),
        (Outcome.EXPIRED, Reason.EXPIRED),
    ],
)
def test_one_device_that_took_it_is_enough_whatever_ends_the_rest(
    apply: Apply, outcome: Outcome, reason: Reason
) -> None:
    notification = push()
    apply(partly(notification))
    notification.refresh_from_db()
    last = device(B, outcome, 2, reason=reason)
    apply(make_event(notification, outcome, reason=reason, devices=(TOOK_A, DEAD_C, last)))
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.DELIVERED, "")
    assert (notification.provider, notification.provider_message_id) == ("fcm", "id-a")
    assert notification.delivered_at is not None
    assert not DeadLetter.objects.exists()
    assert DeliveryAttempt.objects.get(number=2).outcome == outcome


def test_attempts_that_are_used_up_do_not_undo_what_was_delivered(apply: Apply) -> None:
    notification = push()
    for number in range(1, 11):
        notification.refresh_from_db()
        if notification.status == Status.DELIVERED:
            break
        later = device(B, Outcome.DEFERRED, number)
        apply(partly(notification, TOOK_A, later))
    assert notification.status == Status.DELIVERED
    assert notification.attempt > 1
    assert not OutboxMessage.objects.exists()
    assert not DeadLetter.objects.exists()


def test_without_any_device_it_fails_as_ever(apply: Apply) -> None:
    notification = push(C)
    apply(make_event(notification, Outcome.FAILED, reason=Reason.DEAD_TOKEN, devices=(DEAD_C,)))
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.FAILED, Reason.DEAD_TOKEN)
    assert DeadLetter.objects.count() == 1


def test_giving_up_on_an_attempt_does_not_undo_what_was_delivered(
    apply: Apply, session: Connection
) -> None:
    notification = push()
    apply(partly(notification))
    old = datetime.now(UTC) - timedelta(days=3)
    Notification.objects.update(status=Status.QUEUED, queued_at=old, updated_at=old)
    resolve_stuck(session, SETTINGS, now=datetime.now(UTC))
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.DELIVERED, "")
    assert notification.delivered_at is not None
    assert not DeadLetter.objects.exists()


def test_a_replay_is_for_every_device(tenant: Tenant, session: Connection) -> None:
    letter = make_dead_letter(
        tenant.organization, channel="push", addresses=(A, B), content=PushContent("T")
    )
    NotificationContent.objects.update(settled=[{"device_id": "device_a", "outcome": "failed"}])
    answer = tenant.api.post(f"/api/v1/dead-letters/{letter.pk}/replay/")
    assert answer.status == 202
    job = next_job(session)
    assert (job.addresses, job.settled) == ((A, B), ())


def test_the_detail_shows_each_device_of_each_attempt(tenant: Tenant, apply: Apply) -> None:
    notification = push(organization=tenant.organization)
    apply(partly(notification))
    answer = tenant.api.get(f"/api/v1/notifications/{notification.pk}/")
    (attempt,) = answer.data["attempts"]
    assert [
        (each["device_id"], each["outcome"], each["reason"]) for each in attempt["devices"]
    ] == [
        ("device_a", "delivered", None),
        ("device_b", "deferred", "provider_unavailable"),
        ("device_c", "failed", "dead_token"),
    ]
    assert attempt["devices"][0] == {
        "device_id": "device_a",
        "platform": "fcm",
        "provider": "fcm",
        "provider_message_id": "id-a",
        "outcome": "delivered",
        "reason": None,
        "error_code": None,
        "error_message": None,
        "possible_duplicate": False,
    }
    assert "token-" not in str(attempt)


def test_an_email_has_no_devices(tenant: Tenant, apply: Apply) -> None:
    notification = make_notification(tenant.organization, status=Status.QUEUED)
    apply(make_event(notification))
    answer = tenant.api.get(f"/api/v1/notifications/{notification.pk}/")
    assert "devices" not in answer.data["attempts"][0]


def test_a_provider_cannot_spoil_the_batch_with_what_it_says_of_a_device(apply: Apply) -> None:

    notification = push()
    nasty = device(A, Outcome.DELIVERED, provider_message_id="a\x00b" + "x" * 1000)
    event = make_event(notification, Outcome.DELIVERED, devices=(nasty,))
    apply(read_event(encode(event)).event)
    stored = (DeliveryAttempt.objects.get().devices or [])[0]
    assert stored["provider_message_id"].startswith("abx")
    assert len(stored["provider_message_id"]) == 255


def test_dead_devices_are_remembered_until_the_user_service_knows(
    committed_tenant: Tenant, apply: Apply
) -> None:
    tenant = committed_tenant
    notification = push(organization=tenant.organization)
    event = make_event(notification, Outcome.DELIVERED, devices=(TOOK_A, DEAD_C))
    apply(event)
    apply(event)
    dead = DeadDevice.objects.get()
    assert (dead.device_id, dead.organization_id) == ("device_c", tenant.organization.pk)
    tenant.users.down = True
    with DeviceDisabler(0.02, user_service):
        assert eventually(lambda: bool(disabled(tenant)))
        assert DeadDevice.objects.exists()
        # The breaker of the client stays open for a moment.
        tenant.users.down = False
        assert eventually(lambda: not DeadDevice.objects.exists())
    assert disabled(tenant)[-1] == (
        "/internal/devices/device_c/disable/",
        tenant.organization.pk,
    )


def disabled(tenant: Tenant) -> list[tuple[str, str]]:
    return [
        (call.path, call.headers["x-organization-id"])
        for call in tenant.users.calls
        if call.path.startswith("/internal/devices/")
    ]


@pytest.mark.parametrize(("status", "kept"), [(404, False), (401, True)])
def test_a_device_that_is_not_known_is_forgotten_and_a_refusal_is_not(
    committed_tenant: Tenant, apply: Apply, status: int, kept: bool
) -> None:
    tenant = committed_tenant
    tenant.users.reply = Reply(status)
    apply(make_event(push(organization=tenant.organization), Outcome.FAILED, devices=(DEAD_C,)))
    with DeviceDisabler(0.02, user_service):
        assert eventually(lambda: len(disabled(tenant)) >= (2 if kept else 1))
        assert eventually(lambda: DeadDevice.objects.exists() is kept)


def test_a_token_of_the_request_has_no_device_to_disable(apply: Apply) -> None:
    notification = push(Address("token-x", "apns"))
    gone = DeviceResult(
        platform="apns", attempt=1, outcome=Outcome.FAILED, reason=Reason.DEAD_TOKEN
    )
    apply(make_event(notification, Outcome.FAILED, reason=Reason.DEAD_TOKEN, devices=(gone,)))
    assert not DeadDevice.objects.exists()
