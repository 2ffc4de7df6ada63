"""What ended long ago is cleared; what it was counted as stays."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.status import ENDS, Status
from carillon.settings import Environment, SettingsError
from gateway.deliveries.models import DeadLetter, DeliveryAttempt
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection, connect
from gateway.retention import metrics
from gateway.retention.config import RetentionSettings
from gateway.retention.services.expiry import _first_id_of, clear_expired
from gateway.retention.timer import RetentionTimer
from gateway.tests.calls import NOTIFICATIONS
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import (
    make_copies,
    make_dead_letter,
    make_event,
    make_notification,
    make_outbox_message,
)
from gateway.tests.policies import POLICIES
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration]

NOW = datetime.now(UTC)
SETTINGS = RetentionSettings(days=30, interval=300, batch=100)
CANARY = "ada@example.com"


def old_id(age: timedelta) -> str:
    """As if it had been made then."""
    moment = _first_id_of(NOW - age).int | (ids.new_uuid().int & ((1 << 80) - 1))
    return f"{ids.NOTIFICATION}_{moment:032x}"


def made(days: float = 31, **fields: Any) -> Notification:
    at = NOW - timedelta(days=days)
    return make_notification(
        **{
            "id": old_id(timedelta(days=days)),
            "status": Status.DELIVERED,
            "created_at": at,
            "updated_at": at,
            **fields,
        }
    )


@pytest.fixture
def session(transactional_db: None) -> Any:
    with connect("retention", idle_in_transaction=30) as session:
        yield session


def clear(session: Connection, **changes: Any) -> int:
    settings = RetentionSettings(**{"days": 30, "interval": 300, "batch": 100, **changes})
    return clear_expired(session, settings, now=NOW)


@pytest.mark.parametrize("status", sorted({*ENDS, Status.SENT}))
def test_what_is_over_is_cleared(session: Connection, status: Status) -> None:
    notification = made(status=status)
    assert clear(session) == 1
    assert not NotificationContent.objects.exists()
    notification.refresh_from_db()
    assert notification.status == status
    assert clear(session) == 0


@pytest.mark.parametrize("status", sorted(set(Status) - ENDS - {Status.SENT}))
def test_what_is_not_over_stays_however_old(session: Connection, status: Status) -> None:
    notification = made(days=400, status=status, scheduled_at=NOW + timedelta(days=1))
    make_outbox_message(notification)
    assert clear(session) == 0
    assert NotificationContent.objects.exists()


def test_the_age_is_counted_from_the_end(session: Connection) -> None:
    made(days=90, updated_at=NOW - timedelta(days=29))
    young = made(days=29)
    assert clear(session) == 0
    assert clear(session, days=28) == 2
    assert not NotificationContent.objects.filter(pk=young.pk).exists()


def test_nothing_personal_is_left_and_the_rest_stays(session: Connection) -> None:
    letter = make_dead_letter(
        id=old_id(timedelta(days=40)),
        created_at=NOW - timedelta(days=40),
        updated_at=NOW - timedelta(days=40),
        error_message=f"550 no such user {CANARY}",
        user_id="user_1",
        template_code="welcome",
        metadata={"order": 1},
    )
    notification = letter.notification
    NotificationContent.objects.update(
        addresses=[{"value": CANARY}], recipient_name=CANARY, content={"body": CANARY}
    )
    DeliveryAttempt.objects.create(
        notification=notification, number=1, channel="email", provider="smtp", outcome="failed",
        error_code="550", error_message=CANARY, started_at=NOW, finished_at=NOW, duration_ms=1,
    )  # fmt: skip
    before = notification.updated_at
    assert clear(session) == 1
    for table in (
        "notifications_notification", "notifications_notificationcontent",
        "deliveries_deliveryattempt", "deliveries_deadletter",
    ):  # fmt: skip
        found = session.execute(f"SELECT t::text FROM {table} t").fetchall()  # noqa: S608
        assert CANARY not in str(found), table
    notification.refresh_from_db()
    assert (notification.user_id, notification.template_code) == ("user_1", "welcome")
    assert (notification.status, notification.metadata) == ("failed", {"order": 1})
    # It says when it ended.
    assert notification.updated_at == before
    assert DeliveryAttempt.objects.get().error_code == "550"
    assert DeadLetter.objects.get().reason == letter.reason


def test_batches_are_bounded_and_shared(session: Connection) -> None:
    made()
    first = Notification.objects.get()
    for _ in range(4):
        make_copies(first, 1)
    ages = [old_id(timedelta(days=31 + number)) for number in range(4)]
    for copy, id_ in zip(Notification.objects.exclude(pk=first.pk), ages, strict=True):
        NotificationContent.objects.filter(pk=copy.pk).delete()
        Notification.objects.filter(pk=copy.pk).delete()
        made(id=id_)
    with connect("retention", idle_in_transaction=30) as other:
        other.execute(
            "SELECT id FROM notifications_notification WHERE id = %s FOR UPDATE",
            (ids.parse_id(ids.NOTIFICATION, ages[0]),),
        )
        # The one that somebody holds is left to the next look.
        assert [clear(session, batch=3), clear(session, batch=3)] == [3, 1]
        other.rollback()
    assert clear(session, batch=3) == 1


def test_a_cleared_notification_still_answers(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    notification = made(organization=tenant.organization, status=Status.FAILED, reason="bounced")
    path = f"{NOTIFICATIONS}{notification.pk}/"
    assert tenant.api.get(path).data["content_cleared"] is False
    with connect("retention", idle_in_transaction=30) as session:
        assert clear(session) == 1
    data = tenant.api.get(path).data
    assert (data["content_cleared"], data["recipient"]) == (True, None)
    assert (data["status"], data["reason"], data["error_message"]) == ("failed", "bounced", None)
    assert tenant.api.post(f"{path}retry/").error == (409, "content_cleared")
    assert tenant.api.get(NOTIFICATIONS).data[0]["recipient"] is None
    assert tenant.api.get(f"{NOTIFICATIONS}?recipient=someone@example.com").data == []
    assert tenant.api.post(f"{NOTIFICATIONS}status/", {"notification_id": notification.pk}).status
    assert tenant.api.call("DELETE", path).status == 200


def test_a_receipt_for_what_was_cleared_is_kept(session: Connection) -> None:
    notification = made(status=Status.SENT)
    assert clear(session) == 1
    apply_events(session, [read(make_event(notification, Outcome.DELIVERED))], POLICIES)
    notification.refresh_from_db()
    assert notification.status == Status.DELIVERED


def test_the_command_clears_all_in_batches(transactional_db: None, monkeypatch: Any) -> None:
    monkeypatch.setenv("RETENTION_BATCH", "2")
    for _ in range(5):
        made()
    made(days=1)
    out = io.StringIO()
    call_command("clear_expired_content", stdout=out)
    assert "5 notifications were cleared." in out.getvalue()
    assert NotificationContent.objects.count() == 1
    call_command("clear_expired_content", "--days", "0", stdout=out)
    assert not NotificationContent.objects.exists()
    with pytest.raises(CommandError):
        call_command("clear_expired_content", "--days", "-1")


def test_the_timer_clears_and_tells(transactional_db: None) -> None:
    for _ in range(3):
        made()
    before = metrics.CLEARED.labels("age")._value.get()
    with RetentionTimer(RetentionSettings(days=30, interval=0.01, batch=2)):
        assert eventually(lambda: not NotificationContent.objects.exists())
    assert metrics.CLEARED.labels("age")._value.get() == before + 3


def test_only_the_old_end_of_the_contents_is_read(session: Connection) -> None:
    for _ in range(50):
        made(days=1)
    made()
    session.execute("ANALYZE notifications_notificationcontent")
    session.execute("SET enable_seqscan = off")
    from gateway.retention.services import expiry

    values = {"bound": _first_id_of(NOW - SETTINGS.age), "over": ["delivered"],
              "cutoff": NOW - SETTINGS.age, "most": 10}  # fmt: skip
    rows = session.execute(f"EXPLAIN (COSTS OFF) {expiry._OLD}", values).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Index Cond: (notification_id <" in plan, plan


@pytest.mark.parametrize(
    ("name", "value"),
    [("RETENTION_DAYS", "0"), ("RETENTION_DAYS", "ten"), ("RETENTION_BATCH", "0")],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        RetentionSettings.read(Environment())
