"""What is accepted, what is answered, and what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_template, make_user, make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

META = {
    "total": 1,
    "limit": 1,
    "page": 1,
    "total_pages": 1,
    "has_next": False,
    "has_previous": False,
}


def from_template(user_id: str, **fields: object) -> dict[str, object]:
    return {
        "notification_type": "email",
        "user_id": user_id,
        "template_code": "welcome_email",
        "variables": {"name": "John Doe"},
        **fields,
    }


def test_the_202_of_the_reference(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    answer = tenant.api.send(
        {
            "notification_type": "email",
            "user_id": user.user_id,
            "template_code": "welcome_email",
            "variables": {"name": "John Doe", "link": "https://example.com/activate"},
            "request_id": "req_unique_id_for_this_request",
            "priority": 7,
            "metadata": {"source": "manual_test"},
        },
        X_Correlation_ID="corr_mine",
    )
    assert answer.status == 202
    notification = Notification.objects.get()
    assert answer.body == {
        "success": True,
        "data": {
            "notification_id": notification.pk,
            "status": "accepted",
            "request_id": "req_unique_id_for_this_request",
            "correlation_id": "corr_mine",
        },
        "message": "Notification accepted for processing",
        "meta": META,
    }
    assert answer.headers["X-Correlation-ID"] == "corr_mine"


def test_everything_is_stored_with_it(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(
        tenant.id, make_template(category="transactional", delivery="at_most_once")
    )
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    tenant.api.send(
        from_template(
            user.user_id,
            priority=6,
            metadata={"source": "tests", "nested": [1, None, {"ü": "🔔"}]},
            expires_at=expires_at.isoformat(),
        ),
        traceparent=traceparent,
    )
    notification = Notification.objects.select_related("content", "outbox_message").get()
    assert notification.organization_id == tenant.id
    assert (notification.channel, notification.mode, notification.status) == (
        "email",
        "live",
        "accepted",
    )
    assert (notification.lane, notification.priority) == ("normal", 6)
    assert (notification.category, notification.delivery) == ("transactional", "at_most_once")
    assert (notification.template_code, notification.template_version) == ("welcome_email", 3)
    assert (notification.user_id, notification.language) == (user.user_id, "en")
    assert notification.metadata == {"source": "tests", "nested": [1, None, {"ü": "🔔"}]}
    assert notification.expires_at == expires_at
    assert notification.request_id == f"req_{notification.pk.removeprefix('notif_')}"
    content = notification.content
    assert content.addresses == [{"value": "ada@example.com"}]
    assert content.recipient_name == "Ada Lovelace"
    assert content.traceparent == traceparent
    assert content.content == {
        "kind": "email",
        "subject": "Welcome, John Doe!",
        "body": "Hi John Doe",
        "html": "<p>Hi John Doe</p>",
    }
    outbox = notification.outbox_message
    assert (outbox.attempt, outbox.priority) == (1, 6)
    assert outbox.available_at == notification.created_at


@pytest.mark.parametrize(
    ("fields", "addresses", "content"),
    [
        (
            {},
            [{"value": "ada@example.com"}],
            {"kind": "email", "subject": "Hello", "body": "Hello, Ada"},
        ),
        (
            {"to": "Ada@EXAMPLE.com", "content": {"subject": "S", "html": "<b>é</b>"}},
            [{"value": "Ada@example.com"}],
            {"kind": "email", "subject": "S", "html": "<b>é</b>"},
        ),
        (
            {
                "notification_type": "sms",
                "to": "+٤٤ 7700 900003",
                "content": {"body": "Your code: {{ code }}"},
            },
            [{"value": "+447700900003"}],
            {"kind": "text", "body": "Your code: {{ code }}"},
        ),
        (
            {"notification_type": "sms", "to": "07700900002", "content": {"body": "b"}},
            [{"value": "+447700900002"}],
            {"kind": "text", "body": "b"},
        ),
        (
            {"notification_type": "whatsapp", "to": "+14155552671", "content": {"body": "b"}},
            [{"value": "+14155552671"}],
            {"kind": "text", "body": "b"},
        ),
        (
            {
                "notification_type": "whatsapp",
                "to": "+14155552671",
                "content": {
                    "template": {
                        "name": "order_sent",
                        "language": "pt_BR",
                        "parameters": ["Ada", "42"],
                        "header": ["Hi"],
                        "buttons": {"0": "orders/42"},
                    }
                },
            },
            [{"value": "+14155552671"}],
            {
                "kind": "text",
                "template": {
                    "name": "order_sent",
                    "language": "pt_BR",
                    "parameters": ["Ada", "42"],
                    "header": ["Hi"],
                    "buttons": {"0": "orders/42"},
                },
            },
        ),
        (
            {
                "notification_type": "push",
                "to": "tok",
                "content": {"title": "T", "collapse_key": "k", "ttl": 60, "priority": "high"},
            },
            [{"value": "tok", "platform": "fcm"}],
            {"kind": "push", "title": "T", "collapse_key": "k", "ttl": 60, "priority": "high"},
        ),
        (
            {"notification_type": "push", "to": "tok", "content": {"title": "T"}},
            [{"value": "tok", "platform": "fcm"}],
            {"kind": "push", "title": "T"},
        ),
        (
            {
                "notification_type": "push",
                "to": {"platform": "apns", "token": "ab" * 32},
                "content": {
                    "title": "T",
                    "body": "B",
                    "image": "https://example.com/i.png",
                    "data": {"a": "1"},
                    "action_url": "myapp://orders/1",
                    "badge": 3,
                },
            },
            [{"value": "ab" * 32, "platform": "apns"}],
            {
                "kind": "push",
                "title": "T",
                "body": "B",
                "image": "https://example.com/i.png",
                "data": {"a": "1"},
                "action_url": "myapp://orders/1",
                "badge": 3,
            },
        ),
    ],
)
def test_inline_content_goes_to_an_address_as_it_is(
    tenant: Tenant, fields: dict[str, object], addresses: Any, content: Any
) -> None:
    assert tenant.api.send(inline(**fields)).status == 202
    stored = NotificationContent.objects.get()
    # What we add to an email: gateway/tests/unsubscribe.
    assert ("unsubscribe_url" in stored.content) == (content["kind"] == "email")
    stored.content.pop("unsubscribe_url", None)
    assert (stored.addresses, stored.content) == (addresses, content)


@pytest.mark.parametrize(
    ("channel", "content", "addresses"),
    [
        ("email", {"subject": "S", "body": "B"}, [{"value": "ada@example.com"}]),
        ("sms", {"body": "B"}, [{"value": "+447700900123"}]),
        ("whatsapp", {"body": "B"}, [{"value": "+447700900123"}]),
        (
            "push",
            {"title": "T"},
            [{"value": "tok-1", "platform": "fcm", "device_id": "device_1"}],
        ),
    ],
)
def test_a_user_is_reached_where_the_channel_goes(
    tenant: Tenant, channel: str, content: object, addresses: object
) -> None:
    tenant.users.add_user(tenant.id, make_user(external_id="customer-4711"))
    answer = tenant.api.send(
        {"notification_type": channel, "user_id": "customer-4711", "content": content}
    )
    assert answer.status == 202
    assert NotificationContent.objects.get().addresses == addresses


@pytest.mark.parametrize(
    ("fields", "lane", "outbox_priority"),
    [
        ({"priority": 1}, "bulk", 1),
        ({"priority": 3}, "bulk", 3),
        ({"priority": 4}, "normal", 4),
        ({}, "normal", 5),
        ({"priority": 8}, "high", 8),
        ({"priority": 2, "category": "otp"}, "high", 8),
        ({"priority": 10, "category": "security"}, "high", 10),
    ],
)
def test_the_lane_follows_priority_and_category(
    tenant: Tenant, fields: dict[str, object], lane: str, outbox_priority: int
) -> None:
    tenant.api.accepted(**fields)
    assert Notification.objects.get().lane == lane
    assert OutboxMessage.objects.get().priority == outbox_priority


def test_a_test_key_makes_test_notifications(tenant: Tenant) -> None:
    assert tenant.test_api.send(inline()).status == 202
    assert Notification.objects.get().mode == "test"


def test_a_schedule_is_the_outboxs_available_at(tenant: Tenant) -> None:
    at = datetime.now(UTC) + timedelta(days=2)
    answer = tenant.api.send(inline(scheduled_at=at.isoformat()))
    assert (answer.status, answer.data["status"]) == (202, "scheduled")
    assert answer.body["message"] == "Notification scheduled"
    notification = Notification.objects.select_related("outbox_message").get()
    assert notification.scheduled_at == at
    assert notification.outbox_message.available_at == at


def test_a_schedule_that_has_just_passed_is_now(tenant: Tenant) -> None:
    at = datetime.now(UTC) - timedelta(seconds=5)
    answer = tenant.api.send(inline(scheduled_at=at.isoformat()))
    assert (answer.status, answer.data["status"]) == (202, "accepted")


@pytest.mark.parametrize(
    ("asked", "of_user", "chosen"),
    [
        ("", "", "en"),
        ("", "pt-BR", "pt"),
        ("de-AT", "pt-BR", "de"),
        ("fr", "pt", "pt"),
        ("ja", "", "en"),
    ],
)
def test_the_language_is_the_requests_then_the_users_then_the_templates(
    tenant: Tenant, asked: str, of_user: str, chosen: str
) -> None:
    user = tenant.users.add_user(tenant.id, make_user(language=of_user))
    languages = {tag: make_version(subject=f"{tag} {{{{ name }}}}") for tag in ("en", "de", "pt")}
    tenant.templates.add_template(tenant.id, make_template(languages=languages))
    assert tenant.api.send(from_template(user.user_id, language=asked)).status == 202
    assert Notification.objects.get().language == chosen
    assert NotificationContent.objects.get().content["subject"] == f"{chosen} John Doe"


@pytest.mark.parametrize(
    ("language", "timezone", "written"),
    [
        ("", "", "at 12:30 PM on May 6, 2026"),
        ("en-GB", "Asia/Kolkata", "at 18:00 on 6 May 2026"),
        # Whoever must make do with the English text gets English dates in it.
        ("fr", "America/New_York", "at 8:30 AM on May 6, 2026"),
    ],
)
def test_dates_are_written_as_the_recipient_has_them(
    tenant: Tenant, language: str, timezone: str, written: str
) -> None:
    user = tenant.users.add_user(tenant.id, make_user(language=language, timezone=timezone))
    content = "at {{ at | time }} on {{ at | date }}"
    version = make_version(content=content, variables=("name", "at"))
    tenant.templates.add_template(tenant.id, make_template(languages={"en": version}))
    variables = {"name": "John Doe", "at": "2026-05-06T12:30:00Z"}
    assert tenant.api.send(from_template(user.user_id, variables=variables)).status == 202
    body = NotificationContent.objects.get().content["body"]
    assert " ".join(body.split()) == written


@pytest.mark.parametrize(
    ("record", "category", "rejected"),
    [
        ({"preferences": {"email": False}}, "", True),
        ({"preferences": {"email": False}}, "marketing", True),
        ({"preferences": {"email": False}}, "security", False),
        ({"preferences": {"email": False}}, "transactional", False),
        ({"preferences": {"push": False}}, "", False),
        ({"categories": {"marketing": {"email": False}}}, "marketing", True),
        ({"categories": {"marketing": {"email": False}}}, "news", False),
        ({"categories": {"marketing": {"sms": False}}}, "marketing", False),
        ({"categories": {"otp": {"email": False}}}, "otp", False),
    ],
)
def test_a_user_who_opted_out_gets_nothing_and_it_is_on_record(
    tenant: Tenant, record: dict[str, Any], category: str, rejected: bool
) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**record))
    tenant.templates.add_template(tenant.id, make_template())
    answer = tenant.api.send(from_template(user.user_id, category=category))
    assert answer.status == 202
    notification = Notification.objects.get()
    assert OutboxMessage.objects.exists() is not rejected
    if rejected:
        assert (answer.data["status"], answer.data["reason"]) == ("rejected", "user_opted_out")
        assert (notification.status, notification.reason) == ("rejected", "user_opted_out")
        assert "month" not in answer.headers["RateLimit"]
    else:
        assert answer.data["status"] == "accepted"
        assert "reason" not in answer.data


@pytest.mark.parametrize("category", ["", "otp", "security"])
def test_a_suppressed_address_gets_nothing_however_essential(tenant: Tenant, category: str) -> None:
    user = tenant.users.add_user(tenant.id, make_user(suppressed={"email": "hard_bounce"}))
    body = {"user_id": user.user_id, "category": category}
    answer = tenant.api.send(inline(to=None, **body))
    assert (answer.data["status"], answer.data["reason"]) == ("rejected", "suppressed")
    assert not OutboxMessage.objects.exists()
    sms = {**body, "notification_type": "sms", "content": {"body": "B"}}
    assert tenant.api.send(sms).data["status"] == "accepted"


def test_the_templates_category_counts_unless_the_request_names_one(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(preferences={"email": False}))
    tenant.templates.add_template(tenant.id, make_template(category="security"))
    assert tenant.api.send(from_template(user.user_id)).data["status"] == "accepted"
    answer = tenant.api.send(from_template(user.user_id, category="marketing"))
    assert answer.data["status"] == "rejected"


def test_the_caches_spare_the_services(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    for _ in range(3):
        assert tenant.api.send(from_template(user.user_id)).status == 202
    assert len(tenant.users.record_calls()) == len(tenant.templates.record_calls()) == 1
    for call in (*tenant.users.record_calls(), *tenant.templates.record_calls()):
        assert call.headers["x-organization-id"] == tenant.id


def test_what_is_cached_outlives_an_outage_of_its_owner(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template())
    assert tenant.api.send(from_template(user.user_id)).status == 202
    tenant.users.down = tenant.templates.down = True
    assert tenant.api.send(from_template(user.user_id)).status == 202


def test_what_is_added_to_an_email_is_stored_with_it(tenant: Tenant) -> None:
    tenant.users.add_user(tenant.id, user := make_user())
    tenant.templates.add_template(tenant.id, make_template())
    file = {"filename": "plan.pdf", "content_type": "application/pdf", "data": "JVBERg=="}
    email = {"reply_to": "support@example.com", "attachments": [file]}
    answer = tenant.api.send(from_template(user.user_id, email=email))
    assert answer.status == 202, answer.body
    content = NotificationContent.objects.get().content
    assert content["reply_to"] == "support@example.com"
    assert content["attachments"] == [file]
    assert content["subject"]
