"""Two calls about one notification at once: what both say is true."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification
from gateway.outbox.database import connect
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import NOTIFICATIONS
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import make_dead_letter, make_event
from gateway.tests.notifications.test_changes_races import accepted, cancel, patch
from gateway.tests.policies import POLICIES
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

DEAD_LETTERS = "/api/v1/dead-letters/"


def test_retry_and_cancel_at_once_leave_what_they_say(committed_tenant: Tenant) -> None:
    notification = make_dead_letter(committed_tenant.organization).notification
    retry = f"{NOTIFICATIONS}{notification.pk}/retry/"
    calls = [
        lambda: committed_tenant.api.post(retry),
        lambda: cancel(committed_tenant, notification),
    ]
    answers = at_once(calls * 8)
    retries, cancels = answers[::2], answers[1::2]
    assert Counter(answer.status for answer in retries) == {202: 1, 409: 7}
    assert {answer.status for answer in cancels} <= {200, 409}
    was_cancelled = any(answer.status == 200 for answer in cancels)
    notification.refresh_from_db()
    assert notification.status == (Status.CANCELLED if was_cancelled else Status.ACCEPTED)
    assert OutboxMessage.objects.exists() is not was_cancelled
    assert notification.attempt == 6


def test_replay_and_retry_at_once_send_once(committed_tenant: Tenant) -> None:
    letter = make_dead_letter(committed_tenant.organization)
    api = committed_tenant.api
    retry = f"{NOTIFICATIONS}{letter.notification_id}/retry/"
    calls = [lambda: api.post(f"{DEAD_LETTERS}{letter.pk}/replay/"), lambda: api.post(retry)] * 5
    answers = at_once([*calls, lambda: api.post(f"{DEAD_LETTERS}replay/", {})])
    *single, many = answers
    assert many.status == 202
    retried = [answer for answer in single if answer.status == 202]
    assert len(retried) + many.data["replayed"] == 1
    assert {answer.status for answer in single} <= {200, 202, 409}
    assert OutboxMessage.objects.get().attempt == 6


def test_delete_and_retry_at_once_leave_one_of_the_two(committed_tenant: Tenant) -> None:
    """What is being sent again is not deleted; what is deleted is not sent."""
    for _ in range(6):
        notification = make_dead_letter(committed_tenant.organization).notification
        path = f"{NOTIFICATIONS}{notification.pk}/"
        deleted, retried = at_once(
            [
                partial(committed_tenant.api.call, "DELETE", path),
                partial(committed_tenant.api.post, f"{path}retry/"),
            ]
        )
        assert (deleted.status, retried.status) in {(200, 404), (409, 202), (200, 409)}
        exists = Notification.objects.filter(pk=notification.pk).exists()
        assert exists is (retried.status == 202)
        assert OutboxMessage.objects.filter(pk=notification.pk).exists() is exists


def test_delete_and_a_late_word_at_once_do_no_harm(committed_tenant: Tenant) -> None:
    for _ in range(6):
        notification = make_dead_letter(committed_tenant.organization, attempt=1).notification
        late = read(make_event(notification, Outcome.DEFERRED))

        def report(late: Any = late) -> None:
            with connect("events", idle_in_transaction=30) as session:
                apply_events(session, [late], POLICIES)

        path = f"{NOTIFICATIONS}{notification.pk}/"
        both: list[Callable[[], Any]] = [
            partial(committed_tenant.api.call, "DELETE", path),
            report,
        ]
        deleted, _ = at_once(both)
        assert deleted.status == 200
        assert not Notification.objects.filter(pk=notification.pk).exists()
        assert not OutboxMessage.objects.exists()


def test_patch_and_cancel_at_once_never_bring_it_back(committed_tenant: Tenant) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for _ in range(6):
        notification = accepted(committed_tenant)
        changed, cancelled = at_once(
            [
                partial(patch, committed_tenant, notification, {"scheduled_at": later}),
                partial(cancel, committed_tenant, notification),
            ]
        )
        assert changed.status in {200, 409}
        assert cancelled.status == 200
        notification.refresh_from_db()
        assert notification.status == Status.CANCELLED
        assert not OutboxMessage.objects.filter(pk=notification.pk).exists()


def test_retry_and_an_event_of_the_last_attempt_at_once_send_once(
    committed_tenant: Tenant,
) -> None:
    """A copy of the job that succeeded after all: whoever comes first, one outcome stands."""
    letter = make_dead_letter(committed_tenant.organization, attempt=1, letter={"attempts": 1})
    notification = letter.notification
    late = read(make_event(notification, Outcome.DELIVERED))

    def report() -> None:
        with connect("events", idle_in_transaction=30) as session:
            apply_events(session, [late], POLICIES)

    path = f"{NOTIFICATIONS}{notification.pk}/retry/"
    both: list[Callable[[], Any]] = [partial(committed_tenant.api.post, path), report]
    retried, _ = at_once(both)
    assert retried.status == 202
    notification.refresh_from_db()
    waiting = OutboxMessage.objects.filter(pk=notification.pk).exists()
    # Nothing is promised about what is known to have arrived.
    assert waiting is (notification.status == Status.ACCEPTED)
    assert notification.status in {Status.ACCEPTED, Status.DELIVERED}
