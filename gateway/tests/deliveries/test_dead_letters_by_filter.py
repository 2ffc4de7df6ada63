"""Replaying many dead letters: which, how many, how fast, and never twice."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryPolicy, Mode
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.selectors import DeadLetterFilters
from gateway.deliveries.services import replay_by_filter as by_filter
from gateway.deliveries.services import replay_decisions, replay_sql
from gateway.deliveries.services.replay_by_filter import Pace, replay_by_filter
from gateway.notifications.models import Notification, NotificationContent
from gateway.notifications.services import locking
from gateway.organizations.models import Organization
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import Answer
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_copies, make_dead_letter
from gateway.tests.records import make_user
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

REPLAY = "/api/v1/dead-letters/replay/"
PAST = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return PAST + timedelta(seconds=seconds)


def ask(tenant: Tenant, **body: object) -> Answer:
    return tenant.api.post(REPLAY, body)


def make_many(organization: Organization, count: int, **fields: Any) -> list[DeadLetter]:
    first = make_dead_letter(organization, **fields)
    return [
        first,
        *DeadLetter.objects.bulk_create(
            DeadLetter(
                notification=notification,
                organization_id=notification.organization_id,
                reason=first.reason,
                attempts=5,
                created_at=first.created_at,
            )
            for notification in make_copies(first.notification, count - 1)
        ),
    ]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes from one call to the next."""
    now = datetime.now(UTC)
    monkeypatch.setattr(by_filter, "datetime", SimpleNamespace(now=lambda _zone: now))


def replayed() -> set[str]:
    return set(DeadLetter.objects.exclude(replayed_at=None).values_list("pk", flat=True))


@pytest.mark.django_db
def test_a_dry_run_counts_shows_some_and_does_nothing(tenant: Tenant) -> None:
    letters = make_many(tenant.organization, 12)
    answer = ask(tenant, dry_run=True, limit=11, per_second=2)
    assert answer.status == 200
    told = answer.data
    assert (told["dry_run"], told["matching"], told["replayed"]) == (True, 12, 11)
    assert (told["remaining"], told["rejected"], told["waiting"]) == (1, 0, 0)
    spread = datetime.fromisoformat(told["until"]) - datetime.fromisoformat(told["starts_at"])
    assert spread == timedelta(seconds=5)
    assert len(told["sample"]) == 10
    assert {each["dead_letter_id"] for each in told["sample"]} <= {each.pk for each in letters}
    assert not replayed()
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_all_that_match_are_accepted_as_another_attempt(tenant: Tenant) -> None:
    make_many(tenant.organization, 3)
    answer = ask(tenant)
    assert answer.status == 202
    told = answer.data
    assert (told["dry_run"], told["matching"], told["replayed"]) == (False, 3, 3)
    assert (told["remaining"], told["waiting"], told["sample"]) == (0, 3, [])
    assert set(Notification.objects.values_list("status", "attempt")) == {("accepted", 6)}
    assert set(OutboxMessage.objects.values_list("attempt", "priority")) == {(6, 5)}
    assert len(replayed()) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, {"a", "b", "c"}),
        ({"channel": "sms"}, {"b"}),
        ({"reason": "bounced"}, {"b"}),
        ({"reason": None, "channel": "", "template_code": ""}, {"a", "b", "c"}),
        ({"template_code": "welcome"}, {"a"}),
        ({"created_after": "2026-03-01T12:00:02Z"}, {"c"}),
        ({"created_before": "2026-03-01T13:00:01+01:00"}, {"a"}),
        ({"channel": "email", "created_after": "2026-03-01T12:00:01Z"}, {"c"}),
        ({"reason": "spam"}, set()),
        ({"limit": 2}, {"a", "b"}),
    ],
)
def test_the_filter_chooses_and_the_oldest_come_first(
    tenant: Tenant, body: dict[str, object], found: set[str]
) -> None:
    organization = tenant.organization
    made = {
        "c": make_dead_letter(organization, created_at=at(2)),
        "a": make_dead_letter(organization, template_code="welcome", created_at=at(0)),
        "b": make_dead_letter(organization, reason=Reason.BOUNCED, channel="sms", created_at=at(1)),
    }
    names = {letter.pk: name for name, letter in made.items()}
    planned = ask(tenant, dry_run=True, **body).data
    assert planned["replayed"] == len(found)
    assert ask(tenant, **body).data["replayed"] == len(found)
    assert {names[each] for each in replayed()} == found


@pytest.mark.django_db
def test_what_cannot_be_replayed_is_left_out(tenant: Tenant, other_tenant: Tenant) -> None:
    organization = tenant.organization
    past = datetime.now(UTC) - timedelta(seconds=1)
    make_dead_letter(organization, expires_at=past)
    make_dead_letter(organization, letter={"replayed_at": past}, status=Status.DELIVERED)
    cleared = make_dead_letter(organization)
    NotificationContent.objects.filter(pk=cleared.notification_id).delete()
    others = make_dead_letter(other_tenant.organization)
    for dry_run in (True, False):
        told = ask(tenant, dry_run=dry_run).data
        assert (told["matching"], told["replayed"], told["remaining"]) == (0, 0, 0)
        assert (told["starts_at"], told["until"]) == (None, None)
    assert not OutboxMessage.objects.exists()
    others.refresh_from_db()
    assert others.replayed_at is None


@pytest.mark.django_db
def test_what_may_be_sent_once_at_most_is_replayed_by_name_alone(tenant: Tenant) -> None:
    unknown = Reason.OUTCOME_UNKNOWN
    make_dead_letter(tenant.organization, reason=unknown, delivery=DeliveryPolicy.AT_MOST_ONCE)
    usual = make_dead_letter(tenant.organization, reason=unknown)
    refused = make_dead_letter(tenant.organization, delivery=DeliveryPolicy.AT_MOST_ONCE)
    assert ask(tenant).data["replayed"] == 2
    assert replayed() == {usual.pk, refused.pk}
    assert ask(tenant, reason="outcome_unknown").data["replayed"] == 1


@pytest.mark.django_db
def test_a_test_key_replays_what_test_keys_sent(tenant: Tenant) -> None:
    make_dead_letter(tenant.organization)
    test = make_dead_letter(tenant.organization, mode=Mode.TEST)
    answer = tenant.test_api.post(REPLAY, {})
    assert (answer.status, answer.data["matching"]) == (202, 1)
    assert replayed() == {test.pk}


@pytest.mark.django_db
def test_they_become_due_one_after_the_other_the_urgent_first(tenant: Tenant) -> None:
    organization = tenant.organization
    bulk = make_dead_letter(organization, lane=Lane.BULK, priority=2, created_at=at(0))
    normal = make_dead_letter(organization, created_at=at(1))
    urgent = make_dead_letter(organization, lane=Lane.HIGH, priority=1, created_at=at(2))
    told = ask(tenant, per_second=4).data
    rows = list(OutboxMessage.objects.order_by("available_at"))
    assert [row.notification_id for row in rows] == [
        letter.notification_id for letter in (urgent, normal, bulk)
    ]
    assert [row.priority for row in rows] == [8, 5, 2]
    start = datetime.fromisoformat(told["starts_at"])
    assert [(row.available_at - start).total_seconds() for row in rows] == [0, 0.25, 0.5]
    assert datetime.fromisoformat(told["until"]) == rows[-1].available_at


@pytest.mark.django_db
@pytest.mark.usefixtures("still")
def test_the_next_call_queues_up_behind(tenant: Tenant) -> None:
    make_many(tenant.organization, 7)
    first = ask(tenant, limit=3, per_second=1).data
    assert (first["replayed"], first["remaining"], first["waiting"]) == (3, 4, 3)
    planned = ask(tenant, dry_run=True, limit=3, per_second=2).data
    second = ask(tenant, limit=3, per_second=2).data
    assert (second["replayed"], second["remaining"], second["waiting"]) == (3, 1, 6)
    behind = datetime.fromisoformat(second["starts_at"]) - datetime.fromisoformat(first["until"])
    assert behind == timedelta(seconds=0.5)
    assert (planned["starts_at"], planned["until"]) == (second["starts_at"], second["until"])
    times = OutboxMessage.objects.order_by("available_at").values_list("available_at", flat=True)
    assert len(set(times)) == 6


@pytest.mark.django_db
def test_progress_is_what_waits_and_what_remains(tenant: Tenant) -> None:
    make_many(tenant.organization, 5)
    ask(tenant, limit=3)
    for row in OutboxMessage.objects.all()[:2]:
        Notification.objects.filter(pk=row.pk).update(status=Status.QUEUED)
        row.delete()
    told = ask(tenant, dry_run=True).data
    assert (told["waiting"], told["matching"]) == (1, 2)
    listed = tenant.api.get("/api/v1/dead-letters/?replayed=true")
    assert listed.body["meta"]["total"] == 3
    assert sorted(each["notification_status"] for each in listed.data) == [
        "accepted",
        "queued",
        "queued",
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("still")
def test_nobody_fills_more_than_a_day(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (replay_sql, by_filter):
        monkeypatch.setattr(module, "HORIZON", timedelta(seconds=3))
    make_many(tenant.organization, 5)
    assert ask(tenant, dry_run=True, per_second=1).data["replayed"] == 3
    told = ask(tenant, per_second=1).data
    assert (told["replayed"], told["remaining"]) == (3, 2)
    answer = ask(tenant, per_second=1)
    assert answer.error == (409, "replay_backlog")
    assert answer.headers["Retry-After"] == "1"
    assert len(replayed()) == 3


@pytest.mark.django_db
def test_recipients_are_asked_for_in_batches_and_their_word_counts(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_decisions, "BATCH", 2)
    organization = tenant.organization
    users: dict[str, dict[str, Any]] = {
        "moved": {"email": "new@example.com"},
        "off": {"preferences": {"email": False}},
        "suppressed": {"suppressed": {"email": "hard_bounce"}},
    }
    for user_id, fields in users.items():
        tenant.users.add_user(tenant.id, make_user(user_id=user_id, **fields))
    letters = {
        user_id: make_dead_letter(organization, user_id=user_id) for user_id in (*users, "gone", "")
    }
    told = ask(tenant).data
    assert (told["replayed"], told["rejected"], told["remaining"]) == (2, 3, 0)
    statuses = {
        user_id: Notification.objects.values_list("status", "reason").get(pk=letter.notification_id)
        for user_id, letter in letters.items()
    }
    assert statuses == {
        "moved": ("accepted", ""),
        "off": ("rejected", "user_opted_out"),
        "suppressed": ("rejected", "suppressed"),
        "gone": ("rejected", "no_address"),
        "": ("accepted", ""),
    }
    content = NotificationContent.objects.get(pk=letters["moved"].notification_id)
    assert content.addresses == [{"value": "new@example.com"}]
    content = NotificationContent.objects.get(pk=letters[""].notification_id)
    assert content.addresses == [{"value": "someone@example.com"}]
    batches = [call for call in tenant.users.calls if call.path == "/internal/users/batch/"]
    assert len(batches) == 2


@pytest.mark.django_db
def test_without_the_user_service_nothing_is_replayed(tenant: Tenant) -> None:
    make_dead_letter(tenant.organization, user_id="user_1")
    make_dead_letter(tenant.organization)
    tenant.users.down = True
    assert ask(tenant, dry_run=True).data["matching"] == 2
    assert ask(tenant).error == (503, "user_service_unavailable")
    assert not replayed()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        ([], "invalid_json", None),
        ({"limit": 0}, "validation_error", "limit"),
        ({"limit": 10_001}, "validation_error", "limit"),
        ({"limit": "10"}, "validation_error", "limit"),
        ({"per_second": 0}, "validation_error", "per_second"),
        ({"per_second": 1_001}, "validation_error", "per_second"),
        ({"dry_run": "yes"}, "validation_error", "dry_run"),
        ({"channel": "fax"}, "validation_error", "channel"),
        ({"reason": "bad_luck"}, "validation_error", "reason"),
        ({"template_code": "x" * 101}, "validation_error", "template_code"),
        ({"created_after": "yesterday"}, "validation_error", "created_after"),
        ({"created_before": "2026-03-01T12:00:00"}, "validation_error", "created_before"),
        ({"organization_id": "org_1"}, "validation_error", "organization_id"),
        ({"replayed": True}, "validation_error", "replayed"),
        ({"status": "failed"}, "validation_error", "status"),
    ],
)
def test_a_bad_body_is_400_and_named(
    tenant: Tenant, body: object, code: str, named: str | None
) -> None:
    make_dead_letter(tenant.organization)
    answer = tenant.api.post(REPLAY, body)
    assert answer.error == (400, code)
    assert list(answer.details) == ([named] if named else [])
    assert not replayed()


@pytest.mark.django_db
def test_a_thousand_take_as_many_statements_as_one(tenant: Tenant) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask(tenant, limit=10_000).status == 202
        return len(captured)

    make_many(tenant.organization, 1)
    ask(tenant)
    make_many(tenant.organization, 1)
    few = statements()
    make_many(tenant.organization, 1_000)
    assert statements() == few
    assert OutboxMessage.objects.count() == 1_002


def test_ten_at_once_send_each_once(committed_tenant: Tenant) -> None:
    make_many(committed_tenant.organization, 200)
    answers = at_once([lambda: ask(committed_tenant, limit=50)] * 10)
    assert {answer.status for answer in answers} == {202}
    assert sum(answer.data["replayed"] for answer in answers) == len(replayed())
    while ask(committed_tenant, limit=50).data["remaining"]:
        pass
    assert len(replayed()) == 200
    assert set(Notification.objects.values_list("attempt", flat=True)) == {6}
    times = list(OutboxMessage.objects.values_list("available_at", flat=True))
    assert len(times) == len(set(times)) == 200


def test_what_somebody_changes_at_this_moment_is_skipped(committed_tenant: Tenant) -> None:
    letters = make_many(committed_tenant.organization, 3)
    with transaction.atomic():
        Notification.objects.select_for_update().get(pk=letters[0].notification_id)
        (answer,) = at_once([lambda: ask(committed_tenant)])
    assert (answer.data["replayed"], answer.data["remaining"]) == (2, 1)
    assert letters[0].pk not in replayed()


def test_it_does_not_wait_for_ever(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "LOCK_WAIT_MS", 50)
    make_dead_letter(committed_tenant.organization)
    organization = ids.parse_id(ids.ORGANIZATION, committed_tenant.id)
    assert organization is not None
    with transaction.atomic():
        replay_sql.one_replay_at_a_time(organization)
        (answer,) = at_once([lambda: ask(committed_tenant)])
    assert answer.error == (409, "notification_busy")
    assert not replayed()


@pytest.mark.django_db
def test_replayed_ones_are_not_walked_over(tenant: Tenant) -> None:
    make_many(tenant.organization, 300)
    replay_by_filter(tenant.id, DeadLetterFilters(), Pace(200, 100))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM deliveries_deadletter WHERE organization_id = "
            "(SELECT id FROM organizations_organization LIMIT 1) AND replayed_at IS NULL "
            "ORDER BY created_at, id LIMIT 10"
        )
        plan = str(cursor.fetchall())
        assert "dead_letter_open" in plan
        assert "Sort" not in plan
