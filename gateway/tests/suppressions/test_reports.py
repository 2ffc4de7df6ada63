"""What deliveries teach of addresses reaches the user service, whatever happens."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from carillon.contracts import ids
from carillon.contracts.messages import (
    Address,
    DeliveryEvent,
    Mode,
    Outcome,
    PushContent,
)
from carillon.contracts.status import Status
from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection, connect
from gateway.suppressions.models import AddressReport
from gateway.suppressions.services import telling
from gateway.suppressions.services.reports import SuppressionReport, keep_suppressions
from gateway.suppressions.services.telling import Told, tell_due
from gateway.tests.deliveries.conftest import read
from gateway.tests.doubles import Reply, ServiceDouble
from gateway.tests.factories import make_event, make_notification
from gateway.tests.policies import POLICIES

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def session(transactional_db: None) -> Iterator[Connection]:
    """As the events process has it."""
    connection = connect("events", idle_in_transaction=30)
    yield connection
    connection.close()


@pytest.fixture
def apply(session: Connection) -> Callable[..., object]:
    def act(*events: DeliveryEvent) -> object:
        return apply_events(session, [read(event) for event in events], POLICIES)

    return act


@pytest.fixture
def service(user_double: ServiceDouble) -> Iterator[ServiceDouble]:
    """The user service; it takes everything."""
    telling._user_service.cache_clear()
    yield user_double
    telling._user_service.cache_clear()


def queued(address: str = "ada@example.com", **fields: Any) -> Notification:
    return make_notification(
        **{"status": Status.QUEUED, "addresses": (Address(address),), **fields}
    )


def bounced(notification: Notification, **fields: Any) -> DeliveryEvent:
    said = {"reason": Reason.INVALID_ADDRESS, "error_code": "550", **fields}
    return make_event(notification, said.pop("outcome", Outcome.BOUNCED), **said)


def test_a_hard_bounce_suppresses_the_address(
    apply: Any, session: Connection, service: ServiceDouble
) -> None:
    notification = queued()
    apply(bounced(notification))
    kept = AddressReport.objects.get()
    assert (kept.channel, kept.address, kept.reason) == ("email", "ada@example.com", "hard_bounce")
    assert tell_due(session) == Told(suppressed=1)
    (call,) = service.calls
    assert (call.method, call.path) == ("POST", "/internal/suppressions/")
    assert call.headers["x-organization-id"] == notification.organization_id
    assert call.headers["x-internal-secret"] == service.secret
    assert json.loads(call.body) == {
        "channel": "email",
        "address": "ada@example.com",
        "reason": "hard_bounce",
        "source": "smtp",
        "note": "550",
    }
    assert AddressReport.objects.count() == 0
    assert tell_due(session) == Told()


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        (Outcome.BOUNCED, Reason.BOUNCED, "hard_bounce"),
        (Outcome.BOUNCED, Reason.INVALID_ADDRESS, "hard_bounce"),
        (Outcome.REJECTED, Reason.UNSUBSCRIBED, "unsubscribe"),
        (Outcome.REJECTED, Reason.BLOCKED, None),
        (Outcome.REJECTED, Reason.SPAM, None),
        (Outcome.FAILED, Reason.CONFIGURATION, None),
        (Outcome.DEFERRED, Reason.PROVIDER_UNAVAILABLE, None),
        (Outcome.EXPIRED, Reason.EXPIRED, None),
        (Outcome.DELIVERED, None, None),
    ],
)
def test_only_what_the_address_is_to_blame_for_suppresses_it(
    apply: Any, outcome: Outcome, reason: Reason | None, expected: str | None
) -> None:
    apply(bounced(queued(), outcome=outcome, reason=reason))
    assert [kept.reason for kept in AddressReport.objects.all()] == ([expected] if expected else [])


def test_a_full_mailbox_may_be_emptied(apply: Any) -> None:
    apply(bounced(queued(), reason=Reason.BOUNCED, error_code="552"))
    assert AddressReport.objects.count() == 0


def test_a_late_bounce_after_sent_counts_too(apply: Any) -> None:
    notification = queued("+447700900123", channel="sms")
    apply(make_event(notification, Outcome.SENT))
    apply(bounced(notification))
    assert AddressReport.objects.get().address == "+447700900123"


def test_a_repeated_event_teaches_nothing_new(apply: Any) -> None:
    event = bounced(queued())
    apply(event, event)
    apply(event)
    assert AddressReport.objects.count() == 1


def test_a_test_key_says_nothing_of_anybody(apply: Any) -> None:
    apply(bounced(queued(mode=Mode.TEST)))
    assert AddressReport.objects.count() == 0


def test_what_was_cleared_is_not_told(apply: Any) -> None:
    notification = queued()
    NotificationContent.objects.filter(pk=notification.pk).delete()
    apply(bounced(notification))
    assert AddressReport.objects.count() == 0


def test_a_push_suppresses_no_address(apply: Any) -> None:
    apply(bounced(queued("token-1", channel="push", content=PushContent("Hi"))))
    assert AddressReport.objects.count() == 0


@pytest.mark.parametrize("status", [500, 503, 401, 404])
def test_what_the_user_service_did_not_take_is_told_again(
    apply: Any, session: Connection, service: ServiceDouble, status: int
) -> None:
    apply(bounced(queued()))
    service.reply = Reply(status)
    before = timezone.now()
    assert tell_due(session) == Told(failed=1)
    waiting = AddressReport.objects.get()
    assert waiting.attempts == 1
    assert waiting.due_at > before + timedelta(seconds=10)
    assert tell_due(session) == Told()
    service.reply = Reply(201)
    telling._user_service.cache_clear()
    AddressReport.objects.update(due_at=timezone.now())
    assert tell_due(session) == Told(suppressed=1)


def test_what_will_never_be_taken_is_forgotten(
    apply: Any, session: Connection, service: ServiceDouble
) -> None:
    apply(bounced(queued("nobody@invalid")))
    service.reply = Reply(400)
    assert tell_due(session) == Told(refused=1)
    assert AddressReport.objects.count() == 0


def test_two_processes_tell_nothing_twice(
    apply: Any, session: Connection, service: ServiceDouble
) -> None:
    apply(bounced(queued()))
    other = connect("events-2", idle_in_transaction=30)
    try:
        # Claimed by one that has not yet committed.
        session.execute("SELECT id FROM suppressions_addressreport FOR UPDATE")
        assert tell_due(other) == Told()
    finally:
        other.close()
    session.rollback()
    assert tell_due(session) == Told(suppressed=1)


def test_a_complaint_takes_the_same_path(session: Connection, service: ServiceDouble) -> None:
    notification = queued()
    uuid = ids.parse_id(ids.NOTIFICATION, notification.pk)
    assert uuid is not None
    report = SuppressionReport(uuid, SuppressionReason.COMPLAINT, "sendgrid", "spamreport")
    keep_suppressions(session, [report], at=datetime.now(UTC))
    session.commit()
    assert tell_due(session) == Told(suppressed=1)
    assert json.loads(service.calls[0].body)["reason"] == "complaint"


def test_patience_grows_and_has_a_bound(
    apply: Any, session: Connection, service: ServiceDouble
) -> None:
    apply(bounced(queued()))
    service.down = True
    for attempts, seconds in ((0, 15), (1, 30), (2, 60), (9, 3600), (1_000, 3600)):
        before = timezone.now()
        AddressReport.objects.update(due_at=before, attempts=attempts)
        telling._user_service.cache_clear()
        tell_due(session)
        claimed = AddressReport.objects.get().due_at - timedelta(seconds=seconds)
        assert before <= claimed <= timezone.now(), attempts
