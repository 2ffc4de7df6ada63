"""Cancelling, retrying, changing and deleting a notification through the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, Mode, TextContent
from carillon.contracts.status import ENDS, Status
from carillon.errors import Reason
from gateway.deliveries.models import DeadLetter, DeliveryAttempt
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import NOTIFICATIONS, Answer, Api, inline
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_dead_letter, make_notification, make_outbox_message
from gateway.tests.records import make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

UNKNOWN = ids.new_id(ids.NOTIFICATION)
LATER = datetime(2031, 3, 1, 12, tzinfo=UTC)

Call = Callable[[Api, str], Answer]


def cancel(api: Api, notification_id: str, body: object = None) -> Answer:
    return api.post(f"{NOTIFICATIONS}{notification_id}/cancel/", body)


def retry(api: Api, notification_id: str, body: object = None) -> Answer:
    return api.post(f"{NOTIFICATIONS}{notification_id}/retry/", body)


def delete(api: Api, notification_id: str, body: object = None) -> Answer:
    return api.call("DELETE", f"{NOTIFICATIONS}{notification_id}/", body)


def patch(api: Api, notification_id: str, body: object = None) -> Answer:
    return api.call("PATCH", f"{NOTIFICATIONS}{notification_id}/", {} if body is None else body)


CALLS = [cancel, retry, delete, patch]


def others(*statuses: Status) -> list[Status]:
    return [status for status in Status if status not in statuses]


@pytest.mark.parametrize("call", CALLS)
def test_anothers_and_unknown_ones_are_404(
    tenant: Tenant, other_tenant: Tenant, call: Call
) -> None:
    notification = make_dead_letter(tenant.organization).notification
    for identifier in (notification.pk, UNKNOWN, "1", "notif_", "%00"):
        assert call(other_tenant.api, identifier).status == 404, identifier
    assert call(other_tenant.api, notification.pk).error == (404, "notification_not_found")
    notification.refresh_from_db()
    assert notification.status == Status.FAILED


@pytest.mark.parametrize(
    ("call", "enough"), [(cancel, "send"), (retry, "send"), (patch, "send"), (delete, "admin")]
)
def test_each_call_needs_its_scope(tenant: Tenant, call: Call, enough: str) -> None:
    notification = make_dead_letter(tenant.organization).notification
    for scope in {"read", "templates", "users", "send"} - {enough}:
        answer = call(tenant.api_with(scope), notification.pk)
        assert answer.error == (403, "insufficient_scope"), scope
    assert call(tenant.api_with(enough), notification.pk).status != 403


@pytest.mark.parametrize("call", CALLS)
def test_a_test_key_touches_nothing_real(tenant: Tenant, call: Call) -> None:
    real = make_dead_letter(tenant.organization).notification
    test = make_dead_letter(tenant.organization, mode=Mode.TEST).notification
    assert call(tenant.test_api, real.pk).error == (403, "live_key_required")
    assert Notification.objects.get(pk=real.pk).status == Status.FAILED
    assert call(tenant.test_api, test.pk).status != 403


@pytest.mark.parametrize("call", [cancel, retry, delete])
@pytest.mark.parametrize(
    ("body", "code"),
    [({"force": True}, "validation_error"), (b"{", "invalid_json"), ([1], "invalid_json")],
)
def test_a_call_without_fields_refuses_them(
    tenant: Tenant, call: Any, body: object, code: str
) -> None:
    notification = make_dead_letter(tenant.organization).notification
    assert call(tenant.api, notification.pk, body).error == (400, code)
    assert call(tenant.api, notification.pk, {}).status != 400


# Cancelling


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.ACCEPTED, Status.RETRYING])
def test_what_waits_is_cancelled(tenant: Tenant, status: Status) -> None:
    notification = make_notification(
        tenant.organization, status=status, next_attempt_at=LATER, error_message="451 later"
    )
    make_outbox_message(notification)
    answer = cancel(tenant.api, notification.pk)
    assert (answer.status, answer.data["status"]) == (200, "cancelled")
    assert answer.data["reason"] == "cancelled"
    assert not OutboxMessage.objects.exists()
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.CANCELLED, Reason.CANCELLED)
    assert notification.next_attempt_at is None
    # Safe to repeat.
    again = cancel(tenant.api, notification.pk)
    assert (again.status, again.data) == (200, answer.data)


@pytest.mark.parametrize(
    "status", others(Status.SCHEDULED, Status.ACCEPTED, Status.RETRYING, Status.CANCELLED)
)
def test_what_was_handed_over_or_has_ended_is_not(tenant: Tenant, status: Status) -> None:
    notification = make_notification(tenant.organization, status=status)
    make_outbox_message(notification)
    answer = cancel(tenant.api, notification.pk)
    assert answer.error == (409, "not_cancellable")
    assert status in answer.body["message"]
    assert answer.details == {"status": [f"It is {status}."]}
    notification.refresh_from_db()
    assert notification.status == status
    assert OutboxMessage.objects.count() == 1


def test_a_replay_that_waits_for_its_turn_can_be_cancelled(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    assert tenant.api.post(f"/api/v1/dead-letters/{letter.pk}/replay/").status == 202
    assert cancel(tenant.api, letter.notification_id).status == 200
    assert not OutboxMessage.objects.exists()
    again = tenant.api.post(f"/api/v1/dead-letters/{letter.pk}/replay/")
    assert (again.status, again.data["notification_status"]) == (200, "cancelled")


# Retrying


@pytest.mark.parametrize("status", [Status.FAILED, Status.BOUNCED])
def test_what_failed_is_sent_again(tenant: Tenant, status: Status) -> None:
    letter = make_dead_letter(tenant.organization, status=status, lane=Lane.BULK, priority=9)
    answer = retry(tenant.api, letter.notification_id)
    assert (answer.status, answer.data["status"]) == (202, "accepted")
    assert answer.data["notification_id"] == letter.notification_id
    assert "reason" not in answer.data
    row = OutboxMessage.objects.get()
    assert (row.attempt, row.priority) == (6, 3)
    letter.refresh_from_db()
    assert letter.replayed_at is not None
    again = retry(tenant.api, letter.notification_id)
    assert again.error == (409, "not_retryable")
    assert again.details == {"status": ["It is accepted."]}
    assert OutboxMessage.objects.count() == 1


def test_a_failure_without_a_dead_letter_gets_one_and_a_fresh_start(tenant: Tenant) -> None:
    notification = make_notification(
        tenant.organization, status=Status.FAILED, reason=Reason.TIMED_OUT, attempt=4
    )
    assert retry(tenant.api, notification.pk).status == 202
    letter = DeadLetter.objects.get()
    assert (letter.attempts, letter.reason) == (4, Reason.TIMED_OUT)
    assert letter.replayed_at is not None
    assert OutboxMessage.objects.get().attempt == 5


@pytest.mark.parametrize("status", others(Status.FAILED, Status.BOUNCED))
def test_what_did_not_fail_is_not_sent_again(tenant: Tenant, status: Status) -> None:
    notification = make_notification(tenant.organization, status=status)
    answer = retry(tenant.api, notification.pk)
    assert answer.error == (409, "not_retryable")
    assert status in answer.body["message"]
    assert not OutboxMessage.objects.exists()


def test_what_cannot_be_sent_any_more_is_refused_by_name(tenant: Tenant) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired = make_dead_letter(tenant.organization, expires_at=past)
    assert retry(tenant.api, expired.notification_id).error == (409, "notification_expired")
    cleared = make_dead_letter(tenant.organization)
    NotificationContent.objects.filter(pk=cleared.notification_id).delete()
    assert retry(tenant.api, cleared.notification_id).error == (409, "content_cleared")
    assert not OutboxMessage.objects.exists()


def test_a_retry_heeds_what_the_user_wants_today(tenant: Tenant) -> None:
    tenant.users.add_user(tenant.id, make_user(user_id="u", suppressed={"email": "complaint"}))
    letter = make_dead_letter(tenant.organization, user_id="u")
    answer = retry(tenant.api, letter.notification_id)
    assert (answer.status, answer.data["status"]) == (202, "rejected")
    assert answer.data["reason"] == "suppressed"
    assert "Not sent" in answer.body["message"]
    assert not OutboxMessage.objects.exists()


# Deleting


@pytest.mark.parametrize("status", sorted(ENDS))
def test_what_has_ended_is_deleted_with_all_that_belongs_to_it(
    tenant: Tenant, status: Status
) -> None:
    letter = make_dead_letter(tenant.organization, status=status)
    notification = letter.notification
    kept = make_dead_letter(tenant.organization)
    make_outbox_message(notification)
    now = datetime.now(UTC)
    DeliveryAttempt.objects.create(
        notification=notification,
        number=1,
        channel="email",
        outcome="failed",
        started_at=now,
        finished_at=now,
        duration_ms=1,
    )
    answer = delete(tenant.api, notification.pk)
    assert (answer.status, answer.data) == (200, {"notification_id": notification.pk})
    for _ in range(2):
        for call in CALLS:
            assert call(tenant.api, notification.pk).error == (404, "notification_not_found")
        assert tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/").status == 404
    assert list(Notification.objects.all()) == [kept.notification]
    assert list(DeadLetter.objects.all()) == [kept]
    assert NotificationContent.objects.count() == 1
    assert not DeliveryAttempt.objects.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("status", sorted(set(Status) - ENDS))
def test_what_has_not_ended_is_not_deleted(tenant: Tenant, status: Status) -> None:
    notification = make_notification(tenant.organization, status=status)
    make_outbox_message(notification)
    answer = delete(tenant.api, notification.pk)
    assert answer.error == (409, "not_deletable")
    assert status in answer.body["message"]
    assert OutboxMessage.objects.count() == Notification.objects.count() == 1


# Changing


def scheduled(tenant: Tenant, **fields: Any) -> Notification:
    notification = make_notification(
        tenant.organization,
        **{"status": Status.SCHEDULED, "scheduled_at": soon(3600), **fields},
    )
    make_outbox_message(notification, available_at=notification.scheduled_at or soon(0))
    return notification


def soon(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def test_content_and_metadata_take_the_place_of_the_old(tenant: Tenant) -> None:
    notification = scheduled(tenant, metadata={"a": 1}, expires_at=soon(7200))
    content = {"subject": "Moved", "body": "On Friday"}
    answer = patch(tenant.api, notification.pk, {"content": content, "metadata": {"b": 2}})
    assert answer.status == 200
    assert answer.data["metadata"] == {"b": 2}
    assert answer.data["status"] == "scheduled"
    assert answer.data["recipient"] == "someone@example.com"
    stored = NotificationContent.objects.get()
    assert stored.content == {"kind": "email", **content}
    assert stored.addresses == [{"value": "someone@example.com"}]
    notification.refresh_from_db()
    assert notification.scheduled_at == OutboxMessage.objects.get().available_at
    assert notification.expires_at is not None


def test_the_answer_is_masked_as_it_is_elsewhere(tenant: Tenant) -> None:
    notification = scheduled(tenant)
    answer = patch(tenant.api_with("send"), notification.pk, {"metadata": {}})
    assert answer.data["recipient"] == "so***@example.com"


def test_nothing_changes_nothing(tenant: Tenant) -> None:
    notification = scheduled(tenant, metadata={"a": 1})
    answer = patch(tenant.api, notification.pk, {})
    assert (answer.status, answer.data["metadata"]) == (200, {"a": 1})
    assert OutboxMessage.objects.get().available_at == notification.scheduled_at


def test_each_channel_has_its_own_content(tenant: Tenant) -> None:
    notification = scheduled(
        tenant, channel="sms", addresses=(Address("+447700900123"),), content=TextContent("old")
    )
    assert patch(tenant.api, notification.pk, {"content": {"body": "new"}}).status == 200
    assert NotificationContent.objects.get().content == {"kind": "text", "body": "new"}
    answer = patch(tenant.api, notification.pk, {"content": {"subject": "x", "body": "y"}})
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == ["content.subject"]


def test_it_can_be_put_off_or_sent_now(tenant: Tenant) -> None:
    notification = scheduled(tenant)
    later = soon(86_400)
    answer = patch(tenant.api, notification.pk, {"scheduled_at": later.isoformat()})
    assert (answer.status, answer.data["status"]) == (200, "scheduled")
    assert datetime.fromisoformat(answer.data["scheduled_at"]) == later
    assert OutboxMessage.objects.get().available_at == later
    answer = patch(tenant.api, notification.pk, {"scheduled_at": None})
    assert (answer.data["status"], answer.data["scheduled_at"]) == ("accepted", None)
    assert OutboxMessage.objects.get().available_at <= datetime.now(UTC)


def test_what_was_accepted_can_be_put_off(tenant: Tenant) -> None:
    notification = scheduled(tenant, status=Status.ACCEPTED, scheduled_at=None)
    later = soon(600)
    answer = patch(tenant.api, notification.pk, {"scheduled_at": later.isoformat()})
    assert (answer.status, answer.data["status"]) == (200, "scheduled")
    assert OutboxMessage.objects.get().available_at == later


def test_expiry_is_set_moved_and_taken_away(tenant: Tenant) -> None:
    notification = scheduled(tenant)
    for time in (soon(7200), soon(9000)):
        answer = patch(tenant.api, notification.pk, {"expires_at": time.isoformat()})
        assert datetime.fromisoformat(answer.data["expires_at"]) == time
    answer = patch(tenant.api, notification.pk, {"expires_at": None})
    assert answer.data["expires_at"] is None
    assert OutboxMessage.objects.get().available_at == notification.scheduled_at


def test_what_is_due_can_still_be_given_an_end(tenant: Tenant) -> None:
    """The relay is late: its schedule has passed, and that is no mistake of the client's."""
    notification = scheduled(tenant, scheduled_at=soon(-600))
    answer = patch(tenant.api, notification.pk, {"expires_at": soon(60).isoformat()})
    assert (answer.status, answer.data["status"]) == (200, "scheduled")
    assert OutboxMessage.objects.get().available_at == notification.scheduled_at


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ([], "invalid_json", None),
        (b"{", "invalid_json", None),
        ({"status": "delivered"}, "validation_error", "status"),
        ({"to": "eve@example.com"}, "validation_error", "to"),
        ({"priority": 9}, "validation_error", "priority"),
        ({"organization_id": "org_1"}, "validation_error", "organization_id"),
        ({"content": None}, "validation_error", "content"),
        ({"content": {}}, "missing_fields", "content.subject"),
        ({"content": {"subject": "a\nb", "body": "x"}}, "validation_error", "content.subject"),
        ({"metadata": []}, "validation_error", "metadata"),
        ({"metadata": {"x": "y" * 4_096}}, "validation_error", "metadata"),
        ({"metadata": {"x": "\x00"}}, "invalid_json", None),
        ({"scheduled_at": "soon"}, "validation_error", "scheduled_at"),
        ({"scheduled_at": "2031-03-01T12:00:00"}, "validation_error", "scheduled_at"),
        ({"scheduled_at": "2020-03-01T12:00:00Z"}, "validation_error", "scheduled_at"),
        ({"scheduled_at": "2099-03-01T12:00:00Z"}, "validation_error", "scheduled_at"),
        ({"expires_at": "2020-03-01T12:00:00Z"}, "validation_error", "expires_at"),
    ],
)
def test_a_bad_change_is_400_and_changes_nothing(
    tenant: Tenant, body: object, code: str, named: str | None
) -> None:
    notification = scheduled(tenant)
    before = snapshot(notification)
    answer = patch(tenant.api, notification.pk, body)
    assert answer.error == (400, code)
    assert list(answer.details) == ([named] if named else [])
    assert snapshot(notification) == before


def test_an_end_before_the_beginning_is_400(tenant: Tenant) -> None:
    notification = scheduled(tenant, expires_at=soon(7200))
    before = snapshot(notification)
    for body in (
        {"scheduled_at": soon(7300).isoformat()},
        {"expires_at": soon(60).isoformat()},
        {"scheduled_at": soon(900).isoformat(), "expires_at": soon(800).isoformat()},
    ):
        answer = patch(tenant.api, notification.pk, {**body, "metadata": {"x": 1}})
        assert answer.error == (400, "validation_error")
        assert list(answer.details) == ["expires_at"]
    assert snapshot(notification) == before


@pytest.mark.parametrize("status", others(Status.SCHEDULED, Status.ACCEPTED))
def test_what_was_handed_over_does_not_change(tenant: Tenant, status: Status) -> None:
    notification = scheduled(tenant, status=status)
    before = snapshot(notification)
    answer = patch(tenant.api, notification.pk, {"metadata": {"x": 1}})
    assert answer.error == (409, "not_changeable")
    assert status in answer.body["message"]
    assert snapshot(notification) == before


def test_content_that_is_gone_cannot_be_changed(tenant: Tenant) -> None:
    notification = scheduled(tenant)
    NotificationContent.objects.all().delete()
    content = {"subject": "a", "body": "b"}
    assert patch(tenant.api, notification.pk, {"content": content}).error == (
        409,
        "content_cleared",
    )


def test_a_change_does_not_touch_idempotency(tenant: Tenant) -> None:
    body = inline(request_id="order-1", scheduled_at=soon(3600).isoformat())
    accepted = tenant.api.send(body).data
    patch(tenant.api, accepted["notification_id"], {"metadata": {"x": 1}})
    again = tenant.api.send(body)
    assert (again.status, again.data) == (200, accepted)
    assert cancel(tenant.api, accepted["notification_id"]).status == 200
    assert tenant.api.send(body).data["status"] == "cancelled"


def snapshot(notification: Notification) -> list[Any]:
    return [
        *Notification.objects.filter(pk=notification.pk).values(),
        *NotificationContent.objects.filter(pk=notification.pk).values(),
        *OutboxMessage.objects.filter(pk=notification.pk).values(),
    ]
