"""What did not arrive is said on another channel, once, as the other channel's rules allow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.records import CategoryPolicy, FallbackRule
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.connections import redis_client
from gateway.deliveries.receipts import ReceiptWatcher
from gateway.fallbacks.models import Fallback
from gateway.fallbacks.timer import FallbackSender
from gateway.notifications.models import Notification, NotificationContent
from gateway.organizations.models import Organization
from gateway.outbox.models import OutboxMessage
from gateway.retention.services.clearing import clear
from gateway.tests.calls import NOTIFICATIONS, STATUS
from gateway.tests.conftest import forget_connections
from gateway.tests.fallbacks.conftest import PROVIDERS, Change, Shop, text
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def quiet(start: str, end: str) -> Any:
    return {day: [{"start": start, "end": end}] for day in DAYS}


def test_without_a_receipt_the_other_channel_sends_it_once(shop: Shop) -> None:
    parent = shop.missed()
    assert shop.fallback(parent)["status"] == "pending"
    shop.work()
    shop.work()
    parent.refresh_from_db()
    # Its provider has it, and nobody else of its channel is asked.
    assert (parent.status, parent.attempt) == (Status.SENT, 1)
    child = Notification.objects.exclude(pk=parent.pk).get()
    assert (child.channel, child.template_code, child.status) == ("sms", "order_sms", "accepted")
    assert (child.correlation_id, child.metadata) == (parent.correlation_id, {"order": 4711})
    assert child.content.content == {"kind": "text", "body": "Hi Ada by SMS"}
    assert child.content.addresses == [{"value": "+447700900123"}]
    assert child.content.fallback is None
    assert OutboxMessage.objects.get().pk == child.pk


def test_the_client_sees_both(shop: Shop) -> None:
    parent = shop.missed()
    shop.work()
    seen = shop.detail(str(parent.pk))
    fallback = seen["fallback"]
    assert {key: fallback[key] for key in ("channel", "template_code", "cause", "status")} == {
        "channel": "sms",
        "template_code": "order_sms",
        "cause": "no_receipt",
        "status": "sent",
    }
    assert (fallback["reason"], fallback["notification_status"]) == (None, "accepted")
    assert [(m["status"], m.get("reason")) for m in seen["timeline"]][-1] == (
        "sent",
        "fallback_sent",
    )
    child = shop.detail(fallback["notification_id"])
    assert (child["fallback_of"], child["fallback"]) == (parent.pk, None)
    assert (seen["fallback_of"], child["notification_type"]) == (None, "sms")
    status = shop.tenant.api.post(STATUS, {"notification_id": parent.pk}).data
    assert status["fallback"] == fallback
    assert (
        "fallback"
        not in shop.tenant.api.post(STATUS, {"notification_id": child["notification_id"]}).data
    )


@pytest.mark.parametrize(
    ("outcome", "reason", "cause"),
    [
        (Outcome.FAILED, Reason.DEAD_TOKEN, "dead_token"),
        (Outcome.FAILED, Reason.CONFIGURATION, "configuration"),
        (Outcome.BOUNCED, Reason.INVALID_ADDRESS, "invalid_address"),
    ],
)
@pytest.mark.parametrize("after_sent", [False, True])
def test_what_failed_for_good_falls_back_at_once(
    outcome: Outcome, reason: Reason, cause: str, after_sent: bool, shop: Shop
) -> None:
    parent = shop.accepted()
    if after_sent:
        shop.told(parent, Outcome.SENT)
    shop.told(parent, outcome, reason=reason)
    assert shop.watch().fallen_back == ("whatsapp",)
    shop.work()
    seen = shop.detail(str(parent.pk))
    assert (seen["fallback"]["cause"], seen["fallback"]["status"]) == (cause, "sent")
    assert seen["timeline"][-1]["reason"] == "fallback_sent"
    assert seen["status"] == outcome.value


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.FAILED, Reason.OUTCOME_UNKNOWN),
        (Outcome.REJECTED, Reason.UNSUBSCRIBED),
        (Outcome.EXPIRED, Reason.EXPIRED),
        (Outcome.DELIVERED, None),
    ],
)
def test_what_may_have_arrived_or_was_not_wanted_does_not(
    outcome: Outcome, reason: Reason | None, shop: Shop
) -> None:
    parent = shop.accepted()
    shop.told(parent, outcome, reason=reason)
    assert shop.watch(seconds=9_999).total == 0
    assert shop.detail(str(parent.pk))["fallback"] is None


def test_a_template_without_one_goes_to_another_provider_as_before(shop: Shop) -> None:
    shop.template(fallback=None)
    parent = shop.accepted()
    assert parent.content.fallback is None
    shop.told(parent, Outcome.SENT)
    assert shop.watch(seconds=61).sent_again == ("whatsapp",)
    shop.told(parent, Outcome.FAILED, attempt=2, reason=Reason.OTHER)
    assert shop.watch(seconds=61).total == 0
    assert not Fallback.objects.exists()


def test_attempts_that_are_used_up_are_a_failure(shop: Shop) -> None:
    parent = shop.accepted()
    for attempt in range(1, 6):
        shop.told(parent, Outcome.DEFERRED, attempt=attempt, reason=Reason.PROVIDER_UNAVAILABLE)
    shop.watch()
    shop.work()
    assert shop.fallback(parent)["cause"] == "attempts_exhausted"
    assert shop.fallback(parent)["status"] == "sent"


def opted_out(shop: Shop) -> None:
    _user(shop, preferences={"sms": False})


def suppressed(shop: Shop) -> None:
    _user(shop, suppressed={"sms": "hard_bounce"})


def without_number(shop: Shop) -> None:
    _user(shop, phone_number="")


def never_awake(shop: Shop) -> None:
    _user(shop, quiet_hours=quiet("00:00", "24:00"))


def erased_user(shop: Shop) -> None:
    del shop.tenant.users.records[shop.tenant.id, shop.user.user_id]
    shop.tenant.users._cache.write_absence(shop.tenant.id, [shop.user.user_id], 9)


def archived_template(shop: Shop) -> None:
    del shop.tenant.templates.records[shop.tenant.id, "order_sms"]
    shop.tenant.templates._cache.write_absence(shop.tenant.id, ["order_sms"], 9)


def other_template(shop: Shop) -> None:
    shop.template("order_sms", revision=2, fallback=None)


def more_variables(shop: Shop) -> None:
    languages = {"en": text("{{ name }} {{ total }}", variables=("name", "total"))}
    shop.template("order_sms", revision=2, type="sms", languages=languages, fallback=None)


def capped(shop: Shop) -> None:
    categories = {"orders": CategoryPolicy(cap_limit=1, cap_seconds=3_600)}
    shop.tenant.users.decide(shop.tenant.id, categories=categories)


def used_up(shop: Shop) -> None:
    Organization.objects.update(monthly_quota=1)


def deactivated(shop: Shop) -> None:
    Organization.objects.update(is_active=False)


def cleared(shop: Shop) -> None:
    NotificationContent.objects.all().delete()


def expired(shop: Shop) -> None:
    Notification.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))


def _user(shop: Shop, **fields: Any) -> None:
    changed = msgspec.structs.replace(shop.user, revision=2, **fields)
    shop.tenant.users.add_user(shop.tenant.id, changed)
    shop.tenant.users._cache.write(shop.tenant.id, [shop.user.user_id], changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (opted_out, "user_opted_out"),
        (suppressed, "suppressed"),
        (without_number, "no_address"),
        (never_awake, "quiet_hours"),
        (erased_user, "user_not_found"),
        (archived_template, "template_not_found"),
        (other_template, "template_type_mismatch"),
        (more_variables, "missing_variables"),
        (used_up, "quota_exceeded"),
        (deactivated, "organization_inactive"),
        (cleared, "content_cleared"),
        (expired, "expired"),
    ],
)
def test_it_says_why_it_was_not_sent(change: Change, reason: str, shop: Shop) -> None:
    parent = shop.missed()
    change(shop)
    shop.work()
    kept = Fallback.objects.get()
    assert (kept.status, kept.reason) == ("not_sent", reason)
    assert [kept.child_id, kept.due_at] == [None, None]
    assert Notification.objects.count() == 1
    Organization.objects.update(is_active=True)
    seen = shop.detail(str(parent.pk))
    assert (seen["fallback"]["reason"], seen["fallback"]["notification_id"]) == (reason, None)
    assert "fallback_not_sent" in [moment.get("reason") for moment in seen["timeline"]]


def test_it_takes_of_the_cap_like_any_other(shop: Shop) -> None:
    capped(shop)
    parent = shop.missed(category="orders")
    shop.work()
    assert shop.fallback(parent)["reason"] == "frequency_capped"


def test_both_are_counted_against_the_quota(shop: Shop) -> None:
    Organization.objects.update(monthly_quota=2)
    shop.missed()
    shop.work()
    assert Notification.objects.count() == 2
    assert shop.ask().error == (429, "quota_exceeded")


def test_what_it_says_of_a_refusal_is_cleared_with_the_rest(shop: Shop) -> None:
    parent = shop.missed()
    more_variables(shop)
    shop.work()
    assert "total" in shop.fallback(parent)["message"]
    clear(shop.session, [_uuid(parent)])
    shop.session.commit()
    assert shop.fallback(parent)["message"] is None


def _uuid(notification: Notification) -> Any:
    return ids.parse_id(ids.NOTIFICATION, notification.pk)


@pytest.mark.parametrize("double", ["users", "templates"])
def test_an_outage_puts_it_off_for_an_hour_at_most(double: str, shop: Shop) -> None:
    parent = shop.missed()
    service = getattr(shop.tenant, double)
    service.down = True
    _forget_cached(shop)
    shop.work()
    assert shop.fallback(parent)["status"] == "pending"
    assert Fallback.objects.get().due_at > datetime.now(UTC)  # type: ignore[operator]
    Fallback.objects.update(created_at=datetime.now(UTC) - timedelta(hours=1))
    shop.work()
    assert shop.fallback(parent)["reason"].endswith("_service_unavailable")


def test_after_an_outage_it_is_sent(shop: Shop) -> None:
    parent = shop.missed()
    shop.tenant.templates.down = True
    _forget_cached(shop)
    shop.work()
    shop.tenant.templates.down = False
    forget_connections()
    shop.work()
    assert shop.fallback(parent)["status"] == "sent"


def _forget_cached(shop: Shop) -> None:
    redis_client().flushdb()


def test_quiet_hours_put_it_off_and_a_receipt_takes_it_back(shop: Shop) -> None:
    parent = shop.missed()
    now = datetime.now(UTC)
    until = (now + timedelta(hours=2)).strftime("%H:%M")
    since = (now - timedelta(hours=2)).strftime("%H:%M")
    _user(shop, quiet_hours=quiet(since, until))
    shop.work()
    child = Notification.objects.get(channel="sms")
    assert (child.status, child.reason) == (Status.SCHEDULED, "quiet_hours")
    assert Fallback.objects.get().due_at is not None
    shop.told(parent, Outcome.DELIVERED)
    shop.work()
    child.refresh_from_db()
    assert child.status == Status.CANCELLED
    assert not OutboxMessage.objects.filter(pk=child.pk).exists()
    assert Fallback.objects.get().due_at is None
    assert shop.fallback(parent)["notification_status"] == "cancelled"


def test_a_fallback_of_the_fallback_is_not_followed(shop: Shop) -> None:
    shop.template(
        "order_sms",
        revision=2,
        type="sms",
        languages={"en": text("Hi {{ name }} by SMS")},
        fallback=FallbackRule(channel="whatsapp", template_code="order_whatsapp"),
    )
    shop.missed()
    shop.work()
    child = Notification.objects.get(channel="sms")
    shop.told(child, Outcome.FAILED, reason=Reason.OTHER)
    assert shop.watch(seconds=999).total == 0
    assert Notification.objects.count() == 2


def test_what_was_changed_by_hand_is_not_said_otherwise(shop: Shop) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    parent = shop.accepted(scheduled_at=later)
    assert parent.content.fallback is not None
    path = f"{NOTIFICATIONS}{parent.pk}/"
    answer = shop.tenant.api.call("PATCH", path, {"content": {"body": "Another text"}})
    assert answer.status == 200, answer.body
    assert NotificationContent.objects.get().fallback is None


def test_the_timers_do_it_by_themselves(shop: Shop) -> None:
    shop.template(expect_receipt_within=1, revision=2)
    parent = shop.accepted()
    shop.told(parent, Outcome.SENT)
    with ReceiptWatcher(PROVIDERS, interval=0.01), FallbackSender(interval=0.01):
        assert eventually(Notification.objects.filter(channel="sms").exists)
    assert Notification.objects.count() == 2
