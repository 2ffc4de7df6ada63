"""Lists of many: every filter by an index, cursors that new notifications do not disturb."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carillon.contracts import ids
from carillon.contracts.messages import Address
from gateway.notifications.apis import listing
from gateway.notifications.models import Notification
from gateway.tests.calls import NOTIFICATIONS
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_notification

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = 20_000
BATCH = ids.new_id(ids.BATCH)

# Mostly delivered emails; whom and what they are about is spread.
_FILL = """
INSERT INTO notifications_notification (
    id, organization_id, request_id, request_digest, correlation_id, channel, mode, status, reason,
    lane, priority, category, delivery, user_id, template_code, batch_id, language, metadata,
    attempt, provider, provider_message_id, error_message, created_at, updated_at
)
SELECT gen_random_uuid(), %(organization)s, 'order-' || i, '', 'c',
       CASE WHEN i %% 4 = 0 THEN 'sms' ELSE 'email' END, 'live',
       CASE WHEN i %% 500 = 0 THEN 'failed' ELSE 'delivered' END, '', 'normal', 5, '',
       'at_least_once', 'user_' || i %% 2000, 'template_' || i %% 400,
       CASE WHEN i %% 2000 = 0 THEN %(batch)s::uuid END, '', '{}', 1, '', '', '',
       %(now)s::timestamptz - make_interval(secs => i), %(now)s
FROM generate_series(1, %(many)s) AS i
"""
_FILL_CONTENT = """
INSERT INTO notifications_notificationcontent
    (notification_id, addresses, recipient_name, content, traceparent)
SELECT id, jsonb_build_array(jsonb_build_object('value', user_id || '@example.com')), '', '{}', ''
FROM notifications_notification
"""


@pytest.fixture
def many(tenant: Tenant, other_tenant: Tenant) -> Tenant:
    with connection.cursor() as cursor:
        for one in (tenant, other_tenant):
            organization = ids.parse_id(ids.ORGANIZATION, one.id)
            batch = ids.parse_id(ids.BATCH, BATCH)
            values = {"organization": organization, "batch": batch, "now": NOW, "many": MANY}
            cursor.execute(_FILL, values)
        cursor.execute(_FILL_CONTENT)
        cursor.execute("ANALYZE notifications_notification, notifications_notificationcontent")
    return tenant


def plans(api: Any, query: str) -> list[str]:
    """How PostgreSQL reads what a list asks for: the count, if there is one, and the page."""
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(f"{NOTIFICATIONS}?{query}")
        assert answer.status == 200, answer.body
    found = []
    for asked in captured.captured_queries:
        if 'FROM "notifications_notification"' in asked["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (COSTS OFF) " + asked["sql"].replace("%", "%%"), [])
                found.append("\n".join(row[0] for row in cursor.fetchall()))
    return found


INDEXES = {
    "": "notification_newest",
    "sort=created_at": "notification_newest",
    "status=delivered": "notification_newest",
    "status=failed": "notification_status",
    "type=push": "notification_channel",
    "user_id=user_7": "notification_user",
    "user_id=user_7&status=delivered&type=email": "notification_user",
    "recipient=user_7@example.com": "notification_recipient",
    "template_code=template_7": "notification_template",
    f"batch_id={BATCH}": "notification_batch",
    "search=order-1999": "notification_request_id",
    "created_after=2026-03-01T11:59:00Z": "notification_newest",
    "created_before=2026-03-01T06:30:00Z": "notification_newest",
}


def test_every_filter_reads_by_an_index(many: Tenant) -> None:
    for query, index in INDEXES.items():
        count, page = plans(many.api, query)
        assert plans(many.api, f"{query}&cursor=first") == [page]
        assert "Seq Scan" not in page, page
        assert index in page, page
        # A count of what nearly all are reads nearly all: by whatever way is the cheapest.
        if index != "notification_newest":
            assert "Seq Scan" not in count, count
            assert index in count, count


def test_the_next_page_begins_where_the_last_one_ended(many: Tenant) -> None:
    for sort in ("created_at", "-created_at"):
        _check_next_page(many, sort)


def _check_next_page(many: Tenant, sort: str) -> None:
    first = many.api.get(f"{NOTIFICATIONS}?cursor=first&sort={sort}").body["meta"]
    (page,) = plans(many.api, f"cursor={quote(first['next_cursor'])}&sort={sort}")
    assert "Seq Scan" not in page
    assert "notification_newest" in page
    # In the index's own condition: what came before is not walked over again.
    condition = next(line for line in page.splitlines() if "Index Cond" in line)
    assert "created_at" in condition, page


def walk(tenant: Tenant, query: str, *, limit: int = 7) -> Iterator[list[str]]:
    """Page after page of ids."""
    cursor: str | None = "first"
    while cursor:
        path = f"{NOTIFICATIONS}?{query}&limit={limit}&cursor={quote(cursor)}"
        answer = tenant.api.get(path)
        assert answer.status == 200, answer.body
        meta = answer.body["meta"]
        assert meta["has_next"] is (meta["next_cursor"] is not None)
        assert meta["has_previous"] is (cursor != "first")
        assert (meta["total"], meta["page"], meta["total_pages"]) == (None, None, None)
        yield [each["notification_id"] for each in answer.data]
        cursor = meta["next_cursor"]


@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
def test_a_walk_shows_each_once_whatever_comes_in_meanwhile(tenant: Tenant, sort: str) -> None:
    dice = random.Random(7)
    # Many of the same moment: the id decides among them.
    times = [NOW + timedelta(seconds=dice.randrange(6)) for _ in range(40)]
    there = {
        made.pk: (made.created_at, made.pk)
        for made in (make_notification(tenant.organization, created_at=at) for at in times)
    }
    seen: list[str] = []
    for page in walk(tenant, f"sort={sort}"):
        seen += page
        make_notification(tenant.organization, created_at=NOW + timedelta(days=1))
        make_notification(tenant.organization, created_at=NOW - timedelta(days=1))
    assert len(seen) == len(set(seen))
    assert [id_ for id_ in seen if id_ in there] == sorted(
        there, key=lambda id_: there[id_], reverse=sort.startswith("-")
    )


def test_a_walk_survives_the_deletion_of_where_it_stands(tenant: Tenant) -> None:
    for number in range(10):
        make_notification(tenant.organization, created_at=NOW + timedelta(seconds=number))
    pages = walk(tenant, "", limit=4)
    first = next(pages)
    Notification.objects.filter(pk__in=first).delete()
    rest = [id_ for page in pages for id_ in page]
    assert len(rest) == 6
    assert not set(rest) & set(first)


def test_a_walk_keeps_its_filters(tenant: Tenant) -> None:
    for number in range(9):
        user = "user_1" if number % 3 else "user_2"
        make_notification(tenant.organization, user_id=user)
    assert sum(len(page) for page in walk(tenant, "user_id=user_1", limit=2)) == 6


def test_a_wrong_cursor_is_400(tenant: Tenant, other_tenant: Tenant) -> None:
    for one in (tenant, other_tenant):
        for _ in range(3):
            make_notification(one.organization)
    path = f"{NOTIFICATIONS}?limit=1"
    own = tenant.api.get(f"{path}&cursor=first").body["meta"]["next_cursor"]
    others = other_tenant.api.get(f"{path}&cursor=first").body["meta"]["next_cursor"]
    assert tenant.api.get(f"{path}&cursor={quote(own)}").status == 200
    # The size of a page may change on the way.
    assert tenant.api.get(f"{NOTIFICATIONS}?cursor={quote(own)}").status == 200
    body, _, signature = own.partition(":")
    bad = [
        f"cursor={quote(others)}",
        f"cursor={quote(own)}&status=failed",
        f"cursor={quote(own)}&sort=created_at",
        f"cursor={quote(own)}&page=2",
        f"cursor={quote(own[:-1])}",
        f"cursor={body}:{signature[::-1]}",
        f"cursor={body}",
        "cursor=2",
        "cursor=%C3%A9",
        "cursor=%00",
        f"cursor={'x' * 600}",
        f"cursor={quote(json.dumps([0, 'x', 'y']))}",
    ]
    for query in bad:
        answer = tenant.api.get(f"{path}&{query}")
        assert answer.error == (400, "validation_error"), query
        assert list(answer.details) == ["cursor"], query


def test_pages_reach_so_far_and_the_count_beyond_them(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNTED_MOST", 3)
    monkeypatch.setattr(listing, "REACHED_MOST", 6)
    for _ in range(8):
        make_notification(tenant.organization)
    seen = [
        (len(answer.data), answer.body["meta"]["total"], answer.body["meta"]["has_next"])
        for page in (1, 2, 3)
        for answer in [tenant.api.get(f"{NOTIFICATIONS}?limit=2&page={page}")]
    ]
    assert seen == [(2, 3, True), (2, 5, True), (2, 6, False)]
    answer = tenant.api.get(f"{NOTIFICATIONS}?limit=2&page=4")
    assert (answer.error, list(answer.details)) == ((400, "validation_error"), ["page"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("recipient=ada@example.com", {"ada"}),
        ("recipient=ada@EXAMPLE.com", {"ada"}),
        ("recipient=Ada@example.com", set()),
        ("recipient=ada@example.co", set()),
        ("recipient=example.com", set()),
        ("recipient=%2B447700900123", {"number"}),
        ("recipient=+44 7700 900123", {"number"}),
        ("recipient=token-1", {"devices"}),
        ("recipient=" + "t" * 4_000, {"long"}),
        ("recipient=" + "t" * 4_001, set()),
        ("recipient=ada@example.com&status=failed", set()),
        (f"batch_id={BATCH}", {"number"}),
        (f"batch_id={ids.new_id(ids.BATCH)}", set()),
    ],
)
def test_recipients_and_batches(tenant: Tenant, query: str, found: set[str]) -> None:
    organization = tenant.organization
    made = {
        "ada": make_notification(organization, addresses=(Address("ada@example.com"),)),
        "number": make_notification(
            organization, channel="sms", addresses=(Address("+447700900123"),), batch_id=BATCH
        ),
        "devices": make_notification(
            organization,
            channel="push",
            addresses=(Address("token-1", "fcm"), Address("token-2", "fcm")),
        ),
        "long": make_notification(
            organization, channel="push", addresses=(Address("t" * 4_000, "fcm"),)
        ),
    }
    names = {notification.pk: name for name, notification in made.items()}
    answer = tenant.api.get(f"{NOTIFICATIONS}?{query.replace(' ', '%20')}")
    assert {names[each["notification_id"]] for each in answer.data} == found
    assert answer.body["meta"]["total"] == len(found)


def test_what_went_to_anothers_recipient_is_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    make_notification(tenant.organization, batch_id=BATCH)
    for query in ("recipient=someone@example.com", f"batch_id={BATCH}"):
        assert len(tenant.api.get(f"{NOTIFICATIONS}?{query}").data) == 1
        assert other_tenant.api.get(f"{NOTIFICATIONS}?{query}").data == []


def test_a_cleared_recipient_is_not_found(tenant: Tenant) -> None:
    notification = make_notification(tenant.organization)
    notification.content.delete()
    assert tenant.api.get(f"{NOTIFICATIONS}?recipient=someone@example.com").data == []


@pytest.mark.parametrize("value", ["batch_1", "1", "notif_" + "a" * 32, BATCH.upper()])
def test_what_is_no_batch_is_400(tenant: Tenant, value: str) -> None:
    answer = tenant.api.get(f"{NOTIFICATIONS}?batch_id={value}")
    assert (answer.error, list(answer.details)) == ((400, "validation_error"), ["batch_id"])
