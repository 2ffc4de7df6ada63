"""Listing dead letters, and replaying one."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, Mode, Outcome, decode_job
from carillon.contracts.records import DeviceRecord
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.replay_metrics import REPLAYED
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.window import take_window
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import Apply
from gateway.tests.factories import (
    ADDRESSES,
    make_dead_letter,
    make_event,
    make_outbox_message,
)
from gateway.tests.records import make_user
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

DEAD_LETTERS = "/api/v1/dead-letters/"
UNKNOWN = ids.new_id(ids.DEAD_LETTER)
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def replay(letter: DeadLetter | str) -> str:
    return f"{DEAD_LETTERS}{letter}/replay/"


@pytest.mark.django_db
def test_a_dead_letter_says_what_failed_and_where_it_is_today(tenant: Tenant) -> None:
    letter = make_dead_letter(
        tenant.organization,
        template_code="welcome_email",
        letter={"created_at": NOW, "replayed_at": at(60)},
        status=Status.REJECTED,
        reason=Reason.SUPPRESSED,
    )
    DeadLetter.objects.update(reason=Reason.BOUNCED, error_message="550 no such user")
    answer = tenant.api.get(DEAD_LETTERS)
    assert (answer.status, answer.body["meta"]["total"]) == (200, 1)
    assert answer.data == [
        {
            "dead_letter_id": letter.pk,
            "notification_id": letter.notification_id,
            "channel": "email",
            "template_code": "welcome_email",
            "reason": "bounced",
            "error_message": "550 no such user",
            "attempts": 5,
            "created_at": "2026-03-01T12:00:00.123456Z",
            "replayed_at": "2026-03-01T12:01:00.123456Z",
            "notification_status": "rejected",
            "notification_reason": "suppressed",
        }
    ]
    assert letter.pk.startswith("dl_")


@pytest.mark.django_db
def test_the_newest_come_first_page_by_page(tenant: Tenant) -> None:
    made = [make_dead_letter(tenant.organization, created_at=at(n)).pk for n in range(5)]
    answer = tenant.api.get(f"{DEAD_LETTERS}?limit=2&page=2")
    assert [each["dead_letter_id"] for each in answer.data] == [made[2], made[1]]
    assert answer.body["meta"] == {
        "total": 5,
        "limit": 2,
        "page": 2,
        "total_pages": 3,
        "has_next": True,
        "has_previous": True,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("channel=sms", {"b"}),
        ("reason=bounced", {"b"}),
        ("template_code=welcome", {"a"}),
        ("created_after=2026-03-01T12:00:02Z", {"c"}),
        ("created_before=2026-03-01T13:00:01%2B01:00", {"a"}),
        ("created_before=2026-03-01T13:00:01+01:00", {"a"}),
        ("replayed=true", {"c"}),
        ("replayed=false", {"a", "b"}),
        ("replayed=false&channel=email", {"a"}),
        ("replayed=&reason=", {"a", "b", "c"}),
        ("reason=spam", set()),
    ],
)
def test_the_list_is_filtered(tenant: Tenant, query: str, found: set[str]) -> None:
    organization = tenant.organization
    made = {
        "a": make_dead_letter(organization, template_code="welcome", created_at=at(0)),
        "b": make_dead_letter(organization, reason=Reason.BOUNCED, channel="sms", created_at=at(1)),
        "c": make_dead_letter(organization, created_at=at(2), letter={"replayed_at": at(3)}),
    }
    answer = tenant.api.get(f"{DEAD_LETTERS}?{query}")
    names = {letter.pk: name for name, letter in made.items()}
    assert {names[each["dead_letter_id"]] for each in answer.data} == found
    assert answer.body["meta"]["total"] == len(found)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=1000000000", "limit"),
        ("page=0", "page"),
        ("channel=fax", "channel"),
        ("reason=bad_luck", "reason"),
        ("replayed=maybe", "replayed"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2026-03-01T12:00:00", "created_before"),
        ("template_code=%00", "template_code"),
        ("template_code=" + "x" * 200, "template_code"),
        ("organization=org_1", "organization"),
        ("reason=spam&reason=bounced", "reason"),
    ],
)
def test_a_bad_query_is_400_and_named(tenant: Tenant, query: str, named: str) -> None:
    answer = tenant.api.get(f"{DEAD_LETTERS}?{query}")
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [named]


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow(tenant: Tenant) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert tenant.api.get(f"{DEAD_LETTERS}?limit=100").status == 200
        return len(captured)

    make_dead_letter(tenant.organization)
    queries()
    few = queries()
    for _ in range(20):
        make_dead_letter(tenant.organization)
    assert queries() == few == 2


@pytest.mark.django_db
def test_every_call_needs_its_scope(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    for scope in ("send", "templates", "users"):
        assert tenant.api_with(scope).get(DEAD_LETTERS).error == (403, "insufficient_scope")
    for scope in ("read", "templates"):
        assert tenant.api_with(scope).post(replay(letter)).error == (403, "insufficient_scope")
    for scope in ("read", "send"):
        answer = tenant.api_with(scope).post(f"{DEAD_LETTERS}replay/", {})
        assert answer.error == (403, "insufficient_scope")
    assert tenant.api_with("read").get(DEAD_LETTERS).status == 200
    assert tenant.api_with("send").post(replay(letter)).status == 202


@pytest.mark.django_db
def test_another_organizations_is_unknown(tenant: Tenant, other_tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    assert other_tenant.api.get(DEAD_LETTERS).data == []
    for identifier in (letter.pk, UNKNOWN, letter.notification_id, "1", "dl_", "%00"):
        answer = other_tenant.api.post(replay(identifier))
        assert answer.status == 404, identifier
    assert other_tenant.api.post(replay(letter)).error == (404, "dead_letter_not_found")
    letter.refresh_from_db()
    assert letter.replayed_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.FAILED, Status.BOUNCED])
def test_a_replay_puts_the_notification_back_as_another_attempt(
    tenant: Tenant, status: Status
) -> None:
    letter = make_dead_letter(
        tenant.organization, status=status, lane=Lane.HIGH, priority=1, sent_at=NOW
    )
    before = REPLAYED.labels("accepted")._value.get()
    answer = tenant.api.post(replay(letter))
    assert answer.status == 202
    assert answer.data["dead_letter_id"] == letter.pk
    assert answer.data["notification_id"] == letter.notification_id
    assert answer.data["notification_status"] == "accepted"
    assert answer.data["notification_reason"] is None
    assert answer.data["reason"] == "attempts_exhausted"
    assert answer.data["replayed_at"] is not None
    notification = Notification.objects.get()
    assert (notification.status, notification.attempt) == (Status.ACCEPTED, 6)
    assert (notification.reason, notification.error_message) == ("", "")
    assert notification.sent_at is None
    row = OutboxMessage.objects.get()
    assert (row.notification_id, row.attempt, row.priority) == (notification.pk, 6, 8)
    assert row.available_at <= datetime.now(UTC)
    letter.refresh_from_db()
    assert (letter.attempts, letter.replayed_at) == (5, notification.updated_at)
    assert REPLAYED.labels("accepted")._value.get() == before + 1


@pytest.mark.django_db
def test_a_repeat_says_so_and_sends_nothing(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    first = tenant.api.post(replay(letter))
    again = tenant.api.post(replay(letter), {})
    assert (first.status, again.status) == (202, 200)
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "before" in again.body["message"]
    # Whatever has become of it.
    Notification.objects.update(status=Status.DELIVERED)
    OutboxMessage.objects.all().delete()
    assert tenant.api.post(replay(letter)).data["notification_status"] == "delivered"
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_what_a_relay_left_over_is_replaced(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    make_outbox_message(letter.notification, attempt=5, due_in=3600)
    assert tenant.api.post(replay(letter)).status == 202
    row = OutboxMessage.objects.get()
    assert row.attempt == 6
    assert row.available_at <= datetime.now(UTC)


@pytest.mark.django_db
def test_what_retention_cleared_cannot_be_replayed(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization)
    NotificationContent.objects.all().delete()
    assert tenant.api.post(replay(letter)).error == (409, "content_cleared")
    assert untouched(letter)


@pytest.mark.django_db
def test_what_has_expired_cannot_be_replayed(tenant: Tenant) -> None:
    letter = make_dead_letter(
        tenant.organization, expires_at=datetime.now(UTC) - timedelta(seconds=1)
    )
    assert tenant.api.post(replay(letter)).error == (409, "notification_expired")
    assert untouched(letter)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [{"dry_run": True}, {"notification_id": "x"}])
def test_a_field_in_a_body_is_400(tenant: Tenant, body: dict[str, Any]) -> None:
    letter = make_dead_letter(tenant.organization)
    answer = tenant.api.post(replay(letter), body)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == list(body)
    assert tenant.api.post(replay(letter), b"{").error == (400, "invalid_json")
    assert tenant.api.post(replay(letter), []).error == (400, "invalid_json")
    assert untouched(letter)


@pytest.mark.django_db
def test_a_test_key_never_causes_a_real_delivery(tenant: Tenant) -> None:
    real = make_dead_letter(tenant.organization)
    test = make_dead_letter(tenant.organization, mode=Mode.TEST)
    answer = tenant.test_api.post(replay(real))
    assert answer.error == (403, "live_key_required")
    assert untouched(real)
    assert tenant.test_api.post(replay(test)).status == 202


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ({"suppressed": {"email": "hard_bounce"}}, "suppressed"),
        ({"preferences": {"email": False}}, "user_opted_out"),
        ({"categories": {"news": {"email": False}}}, "user_opted_out"),
        ({"email": ""}, "no_address"),
        (None, "no_address"),
    ],
)
def test_who_does_not_want_it_any_more_gets_nothing(
    tenant: Tenant, user: dict[str, Any] | None, reason: str
) -> None:
    letter = make_dead_letter(tenant.organization, user_id="user_1", category="news")
    if user is not None:
        tenant.users.add_user(tenant.id, make_user(user_id="user_1", **user))
    answer = tenant.api.post(replay(letter))
    assert answer.status == 202
    assert "Not sent" in answer.body["message"]
    assert answer.data["notification_status"] == "rejected"
    assert answer.data["notification_reason"] == reason
    assert not OutboxMessage.objects.exists()
    assert Notification.objects.get().attempt == 5
    assert tenant.api.post(replay(letter)).status == 200


@pytest.mark.django_db
def test_what_is_essential_passes_an_opt_out_but_no_suppression(tenant: Tenant) -> None:
    tenant.users.add_user(tenant.id, make_user(user_id="u1", preferences={"email": False}))
    letter = make_dead_letter(tenant.organization, user_id="u1", category="security")
    assert tenant.api.post(replay(letter)).data["notification_status"] == "accepted"
    tenant.users.add_user(tenant.id, make_user(user_id="u2", suppressed={"email": "complaint"}))
    letter = make_dead_letter(tenant.organization, user_id="u2", category="security")
    assert tenant.api.post(replay(letter)).data["notification_status"] == "rejected"


@pytest.mark.django_db
def test_a_user_is_reached_where_they_are_today(tenant: Tenant) -> None:
    tenant.users.add_user(tenant.id, make_user(user_id="user_1", email="new@example.com"))
    letter = make_dead_letter(tenant.organization, user_id="user_1")
    assert tenant.api.post(replay(letter)).status == 202
    assert NotificationContent.objects.get().addresses == [{"value": "new@example.com"}]
    devices = (DeviceRecord(device_id="d9", platform="apns", token="fresh"),)
    tenant.users.add_user(tenant.id, make_user(user_id="user_2", devices=devices))
    letter = make_dead_letter(tenant.organization, user_id="user_2", channel="push")
    assert tenant.api.post(replay(letter)).status == 202
    content = NotificationContent.objects.get(pk=letter.notification_id)
    assert content.addresses == [{"value": "fresh", "platform": "apns", "device_id": "d9"}]


@pytest.mark.django_db
def test_without_the_user_service_nothing_is_replayed(tenant: Tenant) -> None:
    letter = make_dead_letter(tenant.organization, user_id="user_1")
    tenant.users.down = True
    assert tenant.api.post(replay(letter)).error == (503, "user_service_unavailable")
    assert untouched(letter)
    # It knows which addresses are suppressed, too; about a device nobody needs to be asked.
    direct = make_dead_letter(tenant.organization)
    assert tenant.api.post(replay(direct)).error == (503, "user_service_unavailable")
    device = make_dead_letter(
        tenant.organization, channel="push", addresses=(Address("tok", "fcm"),)
    )
    assert tenant.api.post(replay(device)).status == 202


@pytest.mark.django_db
def test_what_was_sent_to_an_address_that_is_suppressed_by_now_ends_as_rejected(
    tenant: Tenant,
) -> None:
    letter = make_dead_letter(tenant.organization)
    (address,) = ADDRESSES
    tenant.users.suppress(tenant.id, "email", address.value)
    assert tenant.api.post(replay(letter)).data["notification_status"] == "rejected"
    notification = Notification.objects.get()
    assert (notification.status, notification.reason) == (Status.REJECTED, Reason.SUPPRESSED)
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_an_organizations_default_holds_for_a_replay(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    letter = make_dead_letter(tenant.organization, user_id=user.user_id)
    tenant.users.decide(tenant.id, preferences={"email": False})
    assert tenant.api.post(replay(letter)).data["notification_status"] == "rejected"
    assert Notification.objects.get().reason == Reason.USER_OPTED_OUT


def test_twenty_at_once_send_once(committed_tenant: Tenant) -> None:
    letter = make_dead_letter(committed_tenant.organization)
    answers = at_once([lambda: committed_tenant.api.post(replay(letter))] * 20)
    assert Counter(answer.status for answer in answers) == {202: 1, 200: 19}
    assert len({str(answer.data) for answer in answers}) == 1
    assert OutboxMessage.objects.get().attempt == 6
    assert Notification.objects.get().attempt == 6


def test_a_replay_that_fails_again_has_had_all_its_retries_and_can_be_replayed_anew(
    committed_tenant: Tenant, session: Connection, apply: Apply
) -> None:
    letter = make_dead_letter(committed_tenant.organization)
    notification = letter.notification
    assert committed_tenant.api.post(replay(letter)).status == 202
    window = take_window(session, most=10, now=datetime.now(UTC))
    assert decode_job(window.messages[0].body).message_id == f"{notification.pk}:6"
    session.rollback()
    for attempt in range(6, 11):
        notification.refresh_from_db()
        assert notification.attempt == attempt
        apply(make_event(notification, Outcome.DEFERRED, reason=Reason.TIMED_OUT))
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.FAILED, 10)
    (listed,) = committed_tenant.api.get(f"{DEAD_LETTERS}?replayed=false").data
    assert (listed["dead_letter_id"], listed["attempts"]) == (letter.pk, 10)
    answer = committed_tenant.api.post(replay(letter))
    assert answer.status == 202
    assert OutboxMessage.objects.get().attempt == 11


def untouched(letter: DeadLetter) -> bool:
    letter = DeadLetter.objects.select_related("notification").get(pk=letter.pk)
    return (
        letter.replayed_at is None
        and letter.notification.status == Status.FAILED
        and letter.notification.attempt == 5
        and not OutboxMessage.objects.filter(pk=letter.notification_id).exists()
    )
