"""Status, list and detail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carillon.contracts import ids
from carillon.contracts.messages import Address
from gateway.deliveries.models import DeliveryAttempt
from gateway.notifications.models import Notification
from gateway.tests.calls import NOTIFICATIONS, STATUS
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_notification

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
UNKNOWN = ids.new_id(ids.NOTIFICATION)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def add_attempt(notification: Notification, number: int, outcome: str, **fields: Any) -> None:
    DeliveryAttempt.objects.create(
        notification=notification,
        **{
            "number": number,
            "channel": "email",
            "provider": "smtp",
            "outcome": outcome,
            "started_at": at(number * 10),
            "finished_at": at(number * 10 + 1),
            "duration_ms": 1000.0,
            **fields,
        },
    )


def delivered(tenant: Tenant, **fields: Any) -> Notification:
    return make_notification(
        tenant.organization,
        **{
            "status": "delivered",
            "template_code": "welcome_email",
            "created_at": NOW,
            "updated_at": at(60),
            "queued_at": at(0.5),
            "sent_at": at(21),
            "delivered_at": at(21),
            **fields,
        },
    )


def test_the_status_of_the_reference(tenant: Tenant) -> None:
    notification = delivered(tenant)
    answer = tenant.api.post(STATUS, {"notification_id": notification.pk})
    assert (answer.status, answer.body["message"]) == (200, "Notification status retrieved")
    assert answer.data == {
        "notification_id": notification.pk,
        "status": "delivered",
        "notification_type": "email",
        "template_code": "welcome_email",
        "created_at": "2026-03-01T12:00:00.123456Z",
        "updated_at": "2026-03-01T12:01:00.123456Z",
        "delivered_at": "2026-03-01T12:00:21.123456Z",
    }


def test_the_status_of_a_failure_says_why(tenant: Tenant) -> None:
    notification = make_notification(
        tenant.organization, status="failed", reason="timed_out", error_message="No answer."
    )
    answer = tenant.api.post(STATUS, {"notification_id": notification.pk})
    assert answer.data["error_message"] == "No answer."
    assert answer.data["reason"] == "timed_out"
    assert "delivered_at" not in answer.data


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "missing_fields"),
        ({"notification_id": 5}, 400, "validation_error"),
        ({"notification_id": UNKNOWN, "x": 1}, 400, "validation_error"),
        ({"notification_id": UNKNOWN}, 404, "notification_not_found"),
        ({"notification_id": "1"}, 404, "notification_not_found"),
        ({"notification_id": "notif_' OR 1=1"}, 404, "notification_not_found"),
        ([], 400, "invalid_json"),
    ],
)
def test_a_bad_status_request(tenant: Tenant, body: object, status: int, code: str) -> None:
    assert tenant.api.post(STATUS, body).error == (status, code)


def test_the_detail_has_attempts_and_timeline(tenant: Tenant) -> None:
    notification = delivered(tenant, attempt=2, metadata={"a": 1})
    add_attempt(notification, 1, "deferred", reason="timed_out", error_code="421")
    add_attempt(notification, 2, "delivered", provider_message_id="<1@x>")
    answer = tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/")
    assert answer.status == 200
    assert answer.data["recipient"] == "someone@example.com"
    assert answer.data["metadata"] == {"a": 1}
    assert answer.data["reason"] is None
    assert answer.data["attempts"][0] == {
        "number": 1,
        "channel": "email",
        "provider": "smtp",
        "provider_message_id": None,
        "outcome": "deferred",
        "reason": "timed_out",
        "error_code": "421",
        "error_message": None,
        "started_at": "2026-03-01T12:00:10.123456Z",
        "finished_at": "2026-03-01T12:00:11.123456Z",
        "duration_ms": 1000.0,
        "possible_duplicate": False,
    }
    moments = [(m["status"], m.get("attempt")) for m in answer.data["timeline"]]
    assert moments == [
        ("accepted", None),
        ("queued", None),
        ("processing", 1),
        ("retrying", 1),
        ("processing", 2),
        ("delivered", 2),
    ]


@pytest.mark.parametrize(
    ("fields", "attempts", "timeline"),
    [
        ({"status": "accepted", "queued_at": None}, (), ["accepted"]),
        (
            {"status": "scheduled", "queued_at": None, "scheduled_at": at(3600)},
            (),
            ["scheduled"],
        ),
        (
            {"status": "rejected", "reason": "user_opted_out", "queued_at": None},
            (),
            ["rejected"],
        ),
        ({"status": "cancelled", "queued_at": None}, (), ["accepted", "cancelled"]),
        (
            {"status": "failed", "reason": "attempts_exhausted"},
            ("deferred",),
            ["accepted", "queued", "processing", "retrying", "failed"],
        ),
        (
            {"status": "delivered", "delivered_at": at(50)},
            ("sent",),
            ["accepted", "queued", "processing", "sent", "delivered"],
        ),
    ],
)
def test_the_timeline_tells_its_life(
    tenant: Tenant, fields: dict[str, Any], attempts: tuple[str, ...], timeline: list[str]
) -> None:
    notification = delivered(tenant, **{"delivered_at": None, **fields})
    for number, outcome in enumerate(attempts, 1):
        add_attempt(notification, number, outcome)
    answer = tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/")
    assert [moment["status"] for moment in answer.data["timeline"]] == timeline


def test_the_address_is_masked_unless_the_key_may_read(tenant: Tenant) -> None:
    notification = make_notification(tenant.organization)
    sender = tenant.api_with("send")
    path = f"{NOTIFICATIONS}{notification.pk}/"
    assert sender.get(path).data["recipient"] == "so***@example.com"
    assert sender.get(NOTIFICATIONS).data[0]["recipient"] == "so***@example.com"
    for scope in ("read", "admin"):
        assert tenant.api_with(scope).get(path).data["recipient"] == "someone@example.com"


def test_what_retention_cleared_is_null(tenant: Tenant) -> None:
    notification = make_notification(tenant.organization)
    notification.content.delete()
    answer = tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/")
    assert (answer.status, answer.data["recipient"]) == (200, None)


def test_several_devices_show_the_first(tenant: Tenant) -> None:
    devices = (Address("token-1", "fcm", "d1"), Address("token-2", "apns", "d2"))
    notification = make_notification(tenant.organization, channel="push", addresses=devices)
    answer = tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/")
    assert answer.data["recipient"] == "token-1"


def test_the_list_is_paged_newest_first(tenant: Tenant) -> None:
    made = [make_notification(tenant.organization, created_at=at(n)).pk for n in range(5)]
    answer = tenant.api.get(f"{NOTIFICATIONS}?limit=2&page=2")
    assert [n["notification_id"] for n in answer.data] == [made[2], made[1]]
    assert answer.body["meta"] == {
        "total": 5,
        "limit": 2,
        "page": 2,
        "total_pages": 3,
        "has_next": True,
        "has_previous": True,
    }
    oldest = tenant.api.get(f"{NOTIFICATIONS}?sort=created_at&limit=1")
    assert oldest.data[0]["notification_id"] == made[0]
    assert tenant.api.get(f"{NOTIFICATIONS}?page=9").data == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", {"b"}),
        ("type=sms", {"b"}),
        ("user_id=user_1", {"a"}),
        ("template_code=welcome", {"c"}),
        ("search=order-1", {"a", "b"}),
        ("search=order-10", {"b"}),
        ("created_after=2026-03-01T12:00:02Z", {"c"}),
        ("created_before=2026-03-01T13:00:01%2B01:00", {"a"}),
        ("created_before=2026-03-01T13:00:01+01:00", {"a"}),
        ("type=email&status=accepted&user_id=user_1", {"a"}),
        ("status=bounced", set()),
        ("status=", {"a", "b", "c"}),
    ],
)
def test_the_list_is_filtered(tenant: Tenant, query: str, found: set[str]) -> None:
    organization = tenant.organization
    made = {
        "a": make_notification(
            organization, request_id="order-1", user_id="user_1", created_at=at(0)
        ),
        "b": make_notification(
            organization, request_id="order-10", status="failed", channel="sms", created_at=at(1)
        ),
        "c": make_notification(
            organization, request_id="x", template_code="welcome", created_at=at(2)
        ),
    }
    answer = tenant.api.get(f"{NOTIFICATIONS}?{query}")
    names = {notification.pk: name for name, notification in made.items()}
    assert {names[n["notification_id"]] for n in answer.data} == found
    assert answer.body["meta"]["total"] == len(found)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=1000000000", "limit"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=%D9%A1", "limit"),
        ("page=0", "page"),
        ("page=99999999999999999999", "page"),
        ("status=lost", "status"),
        ("type=fax", "type"),
        ("sort=priority", "sort"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-03-01T12:00:00", "created_after"),
        ("created_after=9999-12-31T23:59:59-10:00", "created_after"),
        ("created_before=2026-03-01T12:00:00%00Z", "created_before"),
        ("user_id=%00", "user_id"),
        ("search=" + "x" * 200, "search"),
        ("organization=org_1", "organization"),
        ("status=failed&status=sent", "status"),
    ],
)
def test_a_bad_query_is_400_and_named(tenant: Tenant, query: str, named: str) -> None:
    answer = tenant.api.get(f"{NOTIFICATIONS}?{query}")
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [named]


@pytest.mark.parametrize(
    "identifier", [UNKNOWN, "1", "notif_", "%00", "..", "%2e%2e", "notif_" + "g" * 32]
)
def test_an_unknown_notification_is_404(tenant: Tenant, identifier: str) -> None:
    assert tenant.api.get(f"{NOTIFICATIONS}{identifier}/").status == 404


def test_the_number_of_queries_does_not_grow(tenant: Tenant) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert tenant.api.get(path).status == 200
        return len(captured)

    first = make_notification(tenant.organization)
    tenant.api.get(NOTIFICATIONS)
    few = queries(NOTIFICATIONS), queries(f"{NOTIFICATIONS}{first.pk}/")
    for _ in range(30):
        make_notification(tenant.organization)
    for number in range(1, 6):
        add_attempt(first, number, "deferred")
    many = queries(f"{NOTIFICATIONS}?limit=100"), queries(f"{NOTIFICATIONS}{first.pk}/")
    assert few == many == (2, 4)


def test_a_replay_is_a_moment_of_its_own(tenant: Tenant) -> None:
    notification = delivered(tenant, status="failed", reason="bounced", attempt=1, queued_at=at(1))
    add_attempt(notification, 1, "bounced", reason="bounced")
    path = f"{NOTIFICATIONS}{notification.pk}/"
    assert tenant.api.post(f"{path}retry/").status == 202
    timeline = tenant.api.get(path).data["timeline"]
    told = [(m["status"], m.get("attempt"), m.get("reason")) for m in timeline]
    assert told == [
        ("accepted", None, None),
        ("queued", None, None),
        ("processing", 1, None),
        ("bounced", 1, "bounced"),
        ("accepted", 2, "replayed"),
    ]
    # It fails again and is replayed again: both replays are told.
    later = datetime.now(UTC) + timedelta(seconds=1)
    add_attempt(notification, 2, "failed", started_at=later, finished_at=later)
    Notification.objects.update(status="failed", reason="other")
    moments = [(m["status"], m.get("attempt")) for m in tenant.api.get(path).data["timeline"]]
    assert moments[-3:] == [("accepted", 2), ("processing", 2), ("failed", 2)]
    assert tenant.api.post(f"{path}retry/").status == 202
    again = [m for m in tenant.api.get(path).data["timeline"] if m.get("reason") == "replayed"]
    assert [(m["status"], m["attempt"]) for m in again] == [("accepted", 2), ("accepted", 3)]
