"""Taking windows from the real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import (
    Address,
    DeliveryPolicy,
    Mode,
    PushContent,
    TextContent,
    decode_job,
)
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.notifications.models import NotificationContent
from gateway.outbox.database import BY_INDEX, Connection, connect
from gateway.outbox.services.window import Window, _take_query, take_window
from gateway.tests.factories import (
    ADDRESSES,
    CONTENT,
    make_notification,
    make_organization,
    make_outbox_message,
)
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def take(session: Connection, most: int = 500) -> Window:
    return take_window(session, most=most, now=datetime.now(UTC))


def taken_ids(window: Window) -> list[str]:
    return [decode_job(message.body).notification_id for message in window.messages]


def test_the_job_says_all_that_the_notification_does(session: Connection) -> None:
    created, expires = datetime.now(UTC), datetime.now(UTC) + timedelta(hours=1)
    notification = make_notification(
        mode=Mode.TEST,
        lane=Lane.HIGH,
        priority=9,
        delivery=DeliveryPolicy.AT_MOST_ONCE,
        attempt=2,
        user_id="user_1",
        correlation_id="corr_abc",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        created_at=created,
        expires_at=expires,
    )
    make_outbox_message(notification)
    window = take(session)
    (message,) = window.messages
    job = decode_job(message.body)
    assert message.message_id == job.message_id == f"{notification.pk}:2"
    assert (message.correlation_id, job.correlation_id) == ("corr_abc", "corr_abc")
    assert message.traceparent == job.traceparent != ""
    assert job.organization_id == notification.organization_id
    assert (job.channel, job.lane, job.priority) == ("email", Lane.HIGH, 9)
    assert (job.mode, job.delivery) == (Mode.TEST, DeliveryPolicy.AT_MOST_ONCE)
    assert (job.user_id, job.recipient_name) == ("user_1", "Ada")
    assert (job.addresses, job.content) == (ADDRESSES, CONTENT)
    assert (job.accepted_at, job.queued_at, job.expires_at) == (created, window.taken_at, expires)


@pytest.mark.parametrize(
    ("channel", "address", "content"),
    [
        ("sms", Address("+447700900001"), TextContent("Code 1234, naïve ✓")),
        (
            "push",
            Address("a" * 64, platform="fcm", device_id="device_1"),
            PushContent("Title", "Body", data={"k": "v"}, badge=3),
        ),
    ],
)
def test_every_kind_of_content_survives(
    session: Connection, channel: str, address: Address, content: TextContent | PushContent
) -> None:
    make_outbox_message(make_notification(channel=channel, addresses=(address,), content=content))
    (message,) = take(session).messages
    job = decode_job(message.body)
    assert (job.channel, job.addresses, job.content) == (channel, (address,), content)


def test_what_is_scheduled_for_later_stays(session: Connection) -> None:
    make_outbox_message(due_in=60)
    assert take(session).size == 0


def test_lanes_then_priority_then_age(session: Connection) -> None:
    organization = make_organization()

    def row(lane: Lane, priority: int, due_in: float) -> str:
        notification = make_notification(organization, lane=lane, priority=priority)
        make_outbox_message(notification, due_in=due_in)
        return str(notification.pk)

    bulk = row(Lane.BULK, 10, -90)
    young = row(Lane.NORMAL, 5, -10)
    old = row(Lane.NORMAL, 5, -60)
    preferred = row(Lane.NORMAL, 6, -5)
    password = row(Lane.HIGH, 1, -1)
    assert taken_ids(take(session)) == [password, preferred, old, young, bulk]


def test_a_window_is_no_larger_than_asked_for(session: Connection) -> None:
    organization = make_organization()
    for priority in (4, 5, 6):
        for _ in range(3):
            make_outbox_message(make_notification(organization, priority=priority))
    assert take(session, most=4).size == 4


def test_two_sessions_never_hold_the_same_row(session: Connection) -> None:
    organization = make_organization()
    for _ in range(6):
        make_outbox_message(make_notification(organization))
    with connect("other", idle_in_transaction=30, options=BY_INDEX) as other:
        first, second = take(session, most=4), take(other, most=4)
        assert (first.size, second.size) == (4, 2)
        assert not set(first.notifications) & set(second.notifications)


def test_a_notification_that_is_being_changed_is_left_for_later(session: Connection) -> None:
    notification = make_notification()
    make_outbox_message(notification)
    with connect("api", idle_in_transaction=30) as other:
        other.execute("UPDATE notifications_notification SET metadata = '{}'")
        assert take(session).size == 0
        other.rollback()
    session.rollback()
    assert taken_ids(take(session)) == [notification.pk]


def test_a_row_whose_time_is_over_is_not_published(session: Connection) -> None:
    make_outbox_message(make_notification(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    window = take(session)
    assert (len(window.expired), len(window.messages)) == (1, 0)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.SENT, Status.DELIVERED])
def test_a_row_whose_notification_is_done_is_not_published(
    session: Connection, status: Status
) -> None:
    make_outbox_message(make_notification(status=status))
    window = take(session)
    assert (len(window.obsolete), len(window.messages)) == (1, 0)


def test_a_row_that_makes_no_message_holds_up_nobody(session: Connection) -> None:
    organization = make_organization()
    forgotten = make_notification(organization)
    broken = make_notification(organization)
    unknown = make_notification(organization, channel="pigeon")
    good = make_notification(organization)
    for notification in (forgotten, broken, unknown, good):
        make_outbox_message(notification)
    NotificationContent.objects.filter(notification=forgotten).delete()
    NotificationContent.objects.filter(notification=broken).update(
        content={"kind": "email", "subject": ["someone@example.com"]}
    )
    window = take(session)
    assert taken_ids(window) == [good.pk]
    reasons = [reason for _, reason, _ in window.unusable]
    assert sorted(reasons) == sorted(
        [Reason.INVALID_CONTENT, Reason.INVALID_CONTENT, Reason.CONFIGURATION]
    )
    assert "someone" not in "".join(text for _, _, text in window.unusable)


def test_a_priority_that_no_relay_would_look_at_cannot_be_stored() -> None:
    with pytest.raises(IntegrityError, match="outbox_priority_known"):
        make_outbox_message(priority=11)


def test_a_stopped_relay_does_not_keep_its_rows(session: Connection) -> None:
    make_outbox_message()
    with connect("stopped", idle_in_transaction=30, options=BY_INDEX) as stopped:
        shown = stopped.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        assert shown == ("30s",)
        assert take(stopped).size == 1
        assert take(session).size == 0
        session.rollback()
        # Shorter only now: a busy machine may take its time for the look above.
        stopped.execute("SET idle_in_transaction_session_timeout = 200")

        def taken() -> bool:
            session.rollback()
            return take(session).size == 1

        assert eventually(taken, timeout=60)
        with pytest.raises(psycopg.Error, match="idle-in-transaction"):
            stopped.execute("SELECT 1")
        stopped.close()


SCHEDULED = 100_000


def test_due_rows_are_found_without_walking_over_scheduled_ones(session: Connection) -> None:
    organization = make_organization()
    due = [make_notification(organization, lane=Lane.BULK, priority=1) for _ in range(3)]
    for notification in due:
        make_outbox_message(notification)
    with connection.cursor() as cursor:
        # Every priority above holds rows that are due tomorrow. Their notifications are not
        # needed to be looked up, so none are made.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO outbox_outboxmessage (notification_id, attempt, priority, available_at)"
            " SELECT gen_random_uuid(), 1, 1 + i %% 10, now() + interval '1 day'"
            " FROM generate_series(1, %s) AS i",
            [SCHEDULED],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    plan = session.execute(
        b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + _take_query(500).as_bytes(session)
    ).fetchone()
    assert plan is not None
    nodes = list(walk(plan[0][0]["Plan"]))
    outbox = [node for node in nodes if node.get("Relation Name") == "outbox_outboxmessage"]
    assert [node["Node Type"] for node in outbox] == ["Index Scan"]
    assert outbox[0]["Index Name"] == "outbox_due"
    assert outbox[0]["Actual Rows"] * outbox[0]["Actual Loops"] <= 10
    assert outbox[0].get("Rows Removed by Filter", 0) == 0
    # A hundred thousand rows take thousands of pages.
    assert plan[0][0]["Plan"]["Shared Hit Blocks"] + plan[0][0]["Plan"]["Shared Read Blocks"] < 200
    session.rollback()
    assert sorted(taken_ids(take(session))) == sorted(str(each.pk) for each in due)
    session.rollback()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE outbox_outboxmessage")


def walk(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(found for child in node.get("Plans", []) for found in walk(child))]
