"""The records of a notification go with it."""

import pytest

from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from gateway.deliveries.models import DeadLetter, DeliveryAttempt
from gateway.notifications.models import Notification
from gateway.tests.deliveries.conftest import Apply
from gateway.tests.factories import make_event, make_notification

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def test_attempts_and_dead_letter_are_deleted_with_their_notification(apply: Apply) -> None:
    notification, other = make_notification(), make_notification()
    Notification.objects.update(status=Status.QUEUED)
    apply(
        make_event(notification, Outcome.DEFERRED),
        make_event(notification, Outcome.FAILED, attempt=2),
        make_event(other),
    )
    assert [attempt.number for attempt in notification.attempts.all()] == [1, 2]
    assert str(notification.attempts.first()) == f"{notification.pk}:1"
    notification.delete()
    assert [attempt.notification_id for attempt in DeliveryAttempt.objects.all()] == [other.pk]
    assert not DeadLetter.objects.exists()
