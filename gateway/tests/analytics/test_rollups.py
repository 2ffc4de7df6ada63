"""The rollups say what a count of the table would say, whatever happened to it."""

import io
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from gateway.analytics.models import CountChange, HourlyCount
from gateway.analytics.services.rollups import count_pending, fold_changes, rebuild
from gateway.analytics.timer import AnalyticsSettings, RollupTimer
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification
from gateway.organizations.models import Organization
from gateway.outbox.database import Connection, connect
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import (
    make_copies,
    make_event,
    make_notification,
    make_organization,
)
from gateway.tests.policies import POLICIES
from gateway.tests.rabbitmq import eventually
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
Key = tuple[Any, ...]

_BRUTE_FORCE = """
SELECT organization_id, date_trunc('hour', created_at, 'UTC'), mode, channel, template_code,
       status, analytics_latency(status, created_at, scheduled_at, delivered_at), count(*)
FROM notifications_notification GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


def brute_force() -> dict[Key, int]:
    with connection.cursor() as cursor:
        cursor.execute(_BRUTE_FORCE)
        return {tuple(key): count for *key, count in cursor.fetchall()}


def rollups() -> dict[Key, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, hour, mode, channel, template_code, status, latency, count "
            "FROM analytics_hourlycount"
        )
        return {tuple(key): count for *key, count in cursor.fetchall()}


def fold(session: Connection, most: int = 1_000) -> None:
    while fold_changes(session, most=most):
        pass


@pytest.fixture
def session(transactional_db: None) -> Any:
    with connect("analytics", idle_in_transaction=30) as session:
        yield session


class History:
    """Something happens to the notifications, at random."""

    def __init__(self, session: Connection, organizations: list[Organization], seed: int) -> None:
        self.session = session
        self.organizations = organizations
        self.dice = random.Random(seed)

    def step(self, name: str) -> None:
        action: Callable[[], None] = getattr(self, name)
        action()

    def _any(self) -> Notification | None:
        found = list(Notification.objects.order_by("id"))
        return self.dice.choice(found) if found else None

    def accept(self) -> None:
        created = NOW - timedelta(minutes=self.dice.randrange(60 * 72))
        make_notification(
            self.dice.choice(self.organizations),
            created_at=created,
            mode=self.dice.choice(["live", "test"]),
            channel=self.dice.choice(["email", "sms"]),
            template_code=self.dice.choice(["", "welcome", "invoice"]),
            scheduled_at=created + timedelta(hours=1) if self.dice.random() < 0.3 else None,
        )

    def accept_many(self) -> None:
        found = self._any()
        if found:
            make_copies(found, self.dice.randrange(1, 20))

    def move_all(self) -> None:
        channel = self.dice.choice(["email", "sms"])
        Notification.objects.filter(channel=channel, status="accepted").update(status="queued")

    def touch(self) -> None:
        Notification.objects.update(metadata={"touched": self.dice.random()}, updated_at=NOW)

    def event(self) -> None:
        found = self._any()
        if not found:
            return
        outcome = self.dice.choice(list(Outcome))
        occurred = found.created_at + timedelta(seconds=self.dice.expovariate(0.1))
        event = make_event(found, outcome, occurred_at=occurred, started_at=found.created_at)
        # Repeated and late ones too.
        apply_events(self.session, [read(event)] * self.dice.randrange(1, 3), POLICIES)

    def correct(self) -> None:
        found = self._any()
        if found:
            later = found.created_at + timedelta(seconds=self.dice.randrange(1, 9_000))
            Notification.objects.filter(pk=found.pk).update(
                status="delivered", delivered_at=later, template_code="renamed"
            )

    def delete(self) -> None:
        found = self._any()
        if found:
            found.delete()

    def roll_back(self) -> None:
        self.session.execute("UPDATE notifications_notification SET status = 'failed'")
        self.session.rollback()

    def fold(self) -> None:
        fold_changes(self.session, most=self.dice.choice([1, 3, 1_000]))

    def rebuild(self) -> None:
        for _ in rebuild(self.session):
            if self.dice.random() < 0.1:
                break


STEPS = ("accept", "accept_many", "move_all", "touch", "event", "event", "correct", "delete",
         "roll_back", "fold", "rebuild")  # fmt: skip


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from(STEPS), max_size=25))
def test_rollups_are_what_a_count_says_after_any_history(
    session: Connection, seed: int, steps: list[str]
) -> None:
    for model in (Notification, CountChange, HourlyCount, Organization):
        model.objects.all().delete()
    CountChange.objects.all().delete()
    history = History(session, [make_organization("A"), make_organization("B")], seed)
    for step in ("accept", *steps):
        history.step(step)
    fold(session)
    assert rollups() == brute_force()
    assert not CountChange.objects.exists()
    # Nothing is left of a status that was passed through.
    assert not HourlyCount.objects.filter(count=0).exists()


def test_writers_and_two_folders_at_once_lose_nothing(session: Connection) -> None:
    organization = make_organization()
    first = make_notification(organization)
    made = [first, *make_copies(first, 99)]

    def write(start: int) -> None:
        for notification in made[start::3]:
            for status in ("queued", "sent", "delivered"):
                Notification.objects.filter(pk=notification.pk).update(status=status)

    def fold_for_a_while() -> None:
        with connect("analytics", idle_in_transaction=30) as own:
            for _ in range(40):
                fold_changes(own, most=7)

    def rebuild_now() -> None:
        with connect("analytics", idle_in_transaction=30) as own:
            for _ in rebuild(own):
                pass

    at_once([*(lambda n=n: write(n) for n in range(3)), fold_for_a_while, fold_for_a_while,
             rebuild_now])  # fmt: skip
    fold(session)
    assert rollups() == brute_force()
    assert Counter(key[5] for key in rollups()) == {"delivered": 1}


def test_only_one_process_adds_up_at_a_time(session: Connection) -> None:
    make_notification()
    with connect("analytics", idle_in_transaction=30) as other:
        fold_changes(other, most=1)
        other.execute("SELECT pg_advisory_lock(7340021563)")
        assert fold_changes(session, most=10) is None
        other.execute("SELECT pg_advisory_unlock(7340021563)")
    make_notification()
    assert fold_changes(session, most=10) == 1


def test_a_late_event_corrects_the_hour_of_the_notification(session: Connection) -> None:
    notification = make_notification(status=Status.SENT, created_at=NOW - timedelta(days=3))
    fold(session)
    received = NOW - timedelta(days=3) + timedelta(seconds=90)
    receipt = make_event(notification, Outcome.DELIVERED, occurred_at=received)
    apply_events(session, [read(receipt)], POLICIES)
    fold(session)
    (found,) = HourlyCount.objects.all()
    assert (found.status, found.count) == ("delivered", 1)
    assert found.hour == datetime(2026, 2, 26, 12, tzinfo=UTC)


def test_the_command_mends_what_somebody_broke(session: Connection) -> None:
    organization = make_organization()
    for days in range(3):
        make_notification(organization, created_at=NOW - timedelta(days=days))
    fold(session)
    expected = rollups()
    HourlyCount.objects.update(count=77)
    HourlyCount.objects.create(
        organization_id=ids.new_id(ids.ORGANIZATION), hour=NOW, mode="live", channel="fax",
        template_code="", status="sent", latency=0, count=5,
    )  # fmt: skip
    make_notification(organization, created_at=NOW)
    out = io.StringIO()
    call_command("rebuild_analytics", stdout=out)
    assert "4 days were counted" in out.getvalue()
    assert rollups() == brute_force() != expected
    assert count_pending(session) == 0


def test_progress_is_told(session: Connection) -> None:
    for _ in range(2):
        make_notification(created_at=NOW)
    told = [(progress.done, progress.total) for progress in rebuild(session)]
    assert told == [(1, 2), (2, 2)]


def test_the_timer_keeps_them(transactional_db: None) -> None:
    make_notification()
    with RollupTimer(AnalyticsSettings(interval=0.01, batch=10)):
        assert eventually(HourlyCount.objects.exists)
    assert rollups() == brute_force() != {}
