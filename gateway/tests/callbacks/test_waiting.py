"""What operators see of reports that wait."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.callbacks import drainer, metrics
from gateway.callbacks.drainer import CallbackDrainer
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.models import CallbackEvent
from gateway.callbacks.services.draining import measure_waiting
from gateway.callbacks.services.inbox import keep_events
from gateway.outbox.database import Connection
from gateway.tests.policies import POLICIES

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def keep(message_id: str, at: datetime) -> None:
    event = ProviderEvent(provider="twilio", provider_message_id=message_id, kind=Kind.DELIVERED)
    keep_events([event], at=at)


def test_nothing_waits(session: Connection) -> None:
    waiting = measure_waiting(session, datetime.now(UTC))
    assert (waiting.count, waiting.overdue) == (0, 0.0)


def test_only_what_is_due_is_late(session: Connection) -> None:
    now = datetime.now(UTC)
    keep("late", now - timedelta(seconds=90))
    keep("later", now - timedelta(seconds=30))
    keep("not yet", now + timedelta(hours=1))
    keep("settled", now - timedelta(days=1))
    CallbackEvent.objects.filter(provider_message_id="settled").update(due_at=None)
    waiting = measure_waiting(session, now)
    assert waiting.count == 3
    assert waiting.overdue == pytest.approx(90, abs=0.01)


def test_what_is_never_applied_is_seen_waiting(
    session: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drainer that fails at every batch still says what it leaves."""

    def fail(*_args: object, **_options: object) -> None:
        raise drainer_error

    drainer_error = RuntimeError("a defect")
    keep("stuck", datetime.now(UTC) - timedelta(seconds=600))
    monkeypatch.setattr(drainer, "drain", fail)
    monkeypatch.setattr(drainer, "MEASURE_INTERVAL", 3_600)
    timer = CallbackDrainer(POLICIES, wait_seconds=60)
    with pytest.raises(RuntimeError):
        timer.look(session)
    assert metrics.OVERDUE._value.get() == pytest.approx(600, abs=60)
    assert metrics.PENDING._value.get() == 1
    # Not with every look: it counts all that waits.
    CallbackEvent.objects.all().delete()
    with pytest.raises(RuntimeError):
        timer.look(session)
    assert metrics.PENDING._value.get() == 1
    timer._measured_at = time.monotonic() - drainer.MEASURE_INTERVAL
    with pytest.raises(RuntimeError):
        timer.look(session)
    assert metrics.PENDING._value.get() == 0
