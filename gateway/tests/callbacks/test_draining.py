"""From a kept report to its notification: once, in any order, and never another's."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as django_connection
from django.utils import timezone

from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from gateway.callbacks.drainer import CallbackDrainer, CallbackForgetter
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.models import CallbackEvent, Engagement
from gateway.callbacks.services import draining_sql
from gateway.callbacks.services.inbox import forget_settled, keep_events
from gateway.deliveries.models import DeadLetter, DeliveryAttempt
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification
from gateway.outbox.database import Connection
from gateway.suppressions.models import AddressReport
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.conftest import Drain, Send
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import make_copies, make_event, make_notification
from gateway.tests.policies import POLICIES
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def sent(
    session: Connection,
    message_id: str = "sg-1",
    outcome: Outcome = Outcome.SENT,
    provider: str = "sendgrid",
    **fields: Any,
) -> Notification:
    """Accepted by its provider, as the worker's event says."""
    notification = make_notification(status=Status.QUEUED, **fields)
    accept(session, notification, message_id, outcome, provider)
    return notification


def accept(
    session: Connection,
    notification: Notification,
    message_id: str = "sg-1",
    outcome: Outcome = Outcome.SENT,
    provider: str = "sendgrid",
    **fields: Any,
) -> None:
    event = make_event(
        notification, outcome, provider=provider, provider_message_id=message_id, **fields
    )
    apply_events(session, [read(event)], POLICIES)


def event(kind: str, message_id: str = "sg-1", **fields: Any) -> dict[str, Any]:
    stamp = int(time.time())
    return {"event": kind, "sg_message_id": f"{message_id}.filter1", "timestamp": stamp, **fields}


def results(drained: Any) -> list[str]:
    return [result for _, result in drained.settled]


def status_of(notification: Notification) -> str:
    notification.refresh_from_db()
    return notification.status


def test_a_receipt_makes_it_delivered(send: Send, drained: Drain, session: Connection) -> None:
    notification = sent(session)
    other = sent(session, "sg-2", organization=notification.organization)
    assert status_of(notification) == Status.SENT
    assert send(signing.sendgrid(event("delivered"))) == 200
    assert status_of(notification) == Status.SENT
    assert results(drained()) == ["applied"]
    assert status_of(notification) == Status.DELIVERED
    assert notification.delivered_at is not None
    attempt = DeliveryAttempt.objects.get(notification=notification)
    assert (attempt.outcome, attempt.provider_message_id) == ("delivered", "sg-1")
    assert status_of(other) == Status.SENT
    assert drained().found == 0


@pytest.mark.parametrize("name", signing.SIGNERS)
def test_every_providers_receipt_arrives(
    name: str, send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session, signing.MESSAGE_IDS[name], provider=name)
    assert send(signing.SIGNERS[name]()) == 200
    assert results(drained()) == ["applied"]
    assert status_of(notification) == Status.DELIVERED


def test_a_hard_bounce_ends_it_and_suppresses_the_address_once(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session)
    said = event("bounce", status="5.1.1", reason="550 unknown", sg_event_id="1")
    assert send(signing.sendgrid(said, said, {**said, "sg_event_id": "2"})) == 200
    drained()
    assert status_of(notification) == Status.BOUNCED
    assert (notification.reason, notification.error_message) == ("bounced", "550 unknown")
    assert DeadLetter.objects.get().notification_id == notification.pk
    reports = {(each.address, each.reason, each.source) for each in AddressReport.objects.all()}
    assert reports == {("someone@example.com", "hard_bounce", "sendgrid")}


def test_a_soft_bounce_ends_it_and_suppresses_nobody(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session)
    send(signing.sendgrid(event("bounce", type="blocked")))
    drained()
    assert (status_of(notification), notification.reason) == (Status.BOUNCED, "blocked")
    assert AddressReport.objects.count() == 0


@pytest.mark.parametrize(("first", "second"), [("delivered", "bounce"), ("bounce", "delivered")])
@pytest.mark.parametrize("together", [True, False])
def test_a_late_bounce_suppresses_and_an_end_is_final(
    first: str, second: str, together: bool, send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session)
    now = int(time.time())
    said = [event(first, timestamp=now - 9), event(second, timestamp=now)]
    if together:
        send(signing.sendgrid(*reversed(said)))
    else:
        for each in said:
            send(signing.sendgrid(each))
            drained()
    drained()
    expected = Status.DELIVERED if first == "delivered" else Status.BOUNCED
    assert status_of(notification) == expected
    assert AddressReport.objects.get().reason == "hard_bounce"


def test_complaints_and_leaving_suppress_and_stand_beside_the_status(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session, outcome=Outcome.DELIVERED)
    send(signing.sendgrid(event("spamreport"), event("unsubscribe")))
    drained()
    assert status_of(notification) == Status.DELIVERED
    assert {each.reason for each in AddressReport.objects.all()} == {"complaint", "unsubscribe"}
    assert {each.kind for each in Engagement.objects.all()} == {"complained", "unsubscribed"}


def test_opens_and_clicks_are_counted_beside_the_status(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session)
    now = int(time.time())
    opens = [event("open", timestamp=now - age, sg_event_id=str(age)) for age in (60, 20, 40)]
    send(signing.sendgrid(*opens, event("click", timestamp=now - 5)))
    drained()
    # A repetition, and one more.
    send(signing.sendgrid(opens[0], event("open", timestamp=now - 80, sg_event_id="80")))
    drained()
    assert status_of(notification) == Status.SENT
    opened = Engagement.objects.get(kind=Kind.OPENED)
    assert (opened.count, opened.first_at.timestamp(), opened.last_at.timestamp()) == (
        4,
        now - 80,
        now - 20,
    )
    assert Engagement.objects.get(kind=Kind.CLICKED).count == 1


def test_a_deferral_is_no_retry_of_ours(send: Send, drained: Drain, session: Connection) -> None:
    notification = sent(session)
    send(signing.sendgrid(event("deferred")))
    drained()
    assert status_of(notification) == Status.SENT
    assert Engagement.objects.get().kind == Kind.DEFERRED


def test_a_receipt_that_overtakes_our_own_event_waits(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = make_notification(status=Status.QUEUED)
    send(signing.sendgrid(event("delivered"), event("open")))
    now = timezone.now()
    assert results(drained(now)) == []
    assert drained(now + timedelta(seconds=0.9)).found == 0
    later = now + timedelta(seconds=2)
    assert (drained(later).found, status_of(notification)) == (2, Status.QUEUED)
    accept(session, notification)
    assert status_of(notification) == Status.SENT
    assert drained(later + timedelta(seconds=1)).found == 0
    assert results(drained(later + timedelta(seconds=3))) == ["applied", "applied"]
    assert status_of(notification) == Status.DELIVERED


def test_what_is_about_no_message_of_ours_is_given_up_in_the_end(
    send: Send, drained: Drain
) -> None:
    assert send(signing.sendgrid(event("delivered", "another-system"))) == 200
    now, tries = timezone.now(), 0
    while CallbackEvent.objects.filter(due_at__isnull=False).exists():
        due_at = CallbackEvent.objects.get().due_at
        assert due_at is not None
        now = due_at + timedelta(milliseconds=1)
        last = drained(now)
        tries += 1
        assert tries < 20
    assert results(last) == ["unknown"]
    assert 9 <= tries <= 12


def test_a_providers_id_is_its_own(send: Send, drained: Drain, session: Connection) -> None:
    """Twilio's word about an id of SendGrid's says nothing, nor do ids that begin alike."""
    notification = sent(session, "SM1")
    near = sent(session, "SM12", provider="twilio", organization=notification.organization)
    send(signing.SIGNERS["twilio"]())
    assert results(drained()) == []
    assert status_of(notification) == status_of(near) == Status.SENT


def test_no_report_is_applied_to_two_organizations(
    send: Send, drained: Drain, session: Connection
) -> None:
    one = sent(session)
    other = sent(session)
    send(signing.sendgrid(event("bounce")))
    assert results(drained()) == ["ambiguous"]
    assert status_of(one) == status_of(other) == Status.SENT
    assert AddressReport.objects.count() == 0


def test_what_sendgrid_repeats_of_ours_is_not_believed(
    send: Send, drained: Drain, session: Connection
) -> None:
    """Whoever has an account can write any notification's id into its arguments."""
    notification = sent(session, "sg-9")
    send(signing.sendgrid(event("bounce", "unknown", notification_id=notification.pk)))
    assert results(drained()) == []
    assert status_of(notification) == Status.SENT


def test_the_newer_of_two_attempts_with_one_id_is_meant(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = make_notification(status=Status.QUEUED)
    accept(session, notification, outcome=Outcome.DEFERRED)
    notification.refresh_from_db()
    accept(session, notification, attempt=2)
    send(signing.sendgrid(event("delivered")))
    assert results(drained()) == ["applied"]
    assert status_of(notification) == Status.DELIVERED
    outcomes = DeliveryAttempt.objects.order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["deferred", "delivered"]


def test_a_poisonous_report_costs_its_neighbours_nothing(
    drained: Drain, session: Connection
) -> None:
    notification = sent(session)
    good = ProviderEvent(provider="sendgrid", provider_message_id="sg-1", kind=Kind.DELIVERED)
    now = timezone.now()
    keep_events([good], at=now)
    keep_events(
        [ProviderEvent(provider="sendgrid", provider_message_id="sg-1", kind=Kind.FAILED)], at=now
    )
    CallbackEvent.objects.filter(kind="failed").update(reason="no such reason")
    assert sorted(results(drained())) == ["applied", "refused"]
    assert status_of(notification) == Status.DELIVERED


def test_two_processes_apply_nothing_twice(send: Send, drained: Drain, session: Connection) -> None:
    sent(session)
    send(signing.sendgrid(event("open")))
    with django_connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT id FROM callbacks_callbackevent FOR UPDATE")
        assert drained().found == 0
        cursor.execute("ROLLBACK")
    assert drained().found == 1
    assert Engagement.objects.get().count == 1


def test_a_burst_of_ten_thousand(send: Send, drained: Drain, session: Connection) -> None:
    first = make_notification(status=Status.QUEUED)
    made = [first, *make_copies(first, 1_999)]
    apply_events(
        session,
        [
            read(
                make_event(
                    each,
                    Outcome.SENT,
                    provider="sendgrid",
                    provider_message_id=f"sg-{number}",
                )
            )
            for number, each in enumerate(made)
        ],
        POLICIES,
    )
    kinds = ("delivered", "open", "open", "click", "deferred")
    burst = [
        event(kind, f"sg-{number}", sg_event_id=f"{number}-{index}")
        for number in range(2_000)
        for index, kind in enumerate(kinds)
    ]
    assert send(signing.sendgrid(*burst)) == 200
    batches = 0
    while drained().found:
        batches += 1
    assert batches == 20
    assert Notification.objects.filter(status=Status.DELIVERED).count() == 2_000
    assert sum(each.count for each in Engagement.objects.all()) == 8_000


def test_the_index_finds_attempts(session: Connection) -> None:
    session.execute("SET enable_seqscan = off")
    rows = '[{"provider": "sendgrid", "id": "sg-1"}]'
    plan = session.execute(f"EXPLAIN {draining_sql.CORRELATE}", (rows,)).fetchall()
    assert "attempt_reported" in str(plan)
    session.rollback()


def test_what_is_settled_is_forgotten_in_time(
    send: Send, drained: Drain, session: Connection
) -> None:
    sent(session)
    send(signing.sendgrid(event("open"), event("open", "unknown")))
    drained()
    later = timezone.now() + timedelta(days=3)
    assert forget_settled(session, before=later) == 1
    assert CallbackEvent.objects.get().provider_message_id == "unknown"


def test_the_timers_do_it_by_themselves(send: Send, session: Connection) -> None:
    notification = sent(session)
    send(signing.sendgrid(event("delivered")))
    with CallbackDrainer(POLICIES, wait_seconds=60, interval=0.01):
        assert eventually(lambda: status_of(notification) == Status.DELIVERED)
    CallbackEvent.objects.update(received_at=datetime.now(UTC) - timedelta(days=3))
    with CallbackForgetter(86_400, 86_400, interval=0.01):
        assert eventually(lambda: not CallbackEvent.objects.exists())


def test_a_deleted_notification_takes_its_engagement_along(
    send: Send, drained: Drain, session: Connection
) -> None:
    notification = sent(session, outcome=Outcome.DELIVERED)
    send(signing.sendgrid(event("open")))
    drained()
    notification.delete()
    assert Engagement.objects.count() == 0
