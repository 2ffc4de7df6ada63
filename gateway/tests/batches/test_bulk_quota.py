"""Quota, recipient limits and frequency caps of a bulk request: exact for every recipient."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from carillon.contracts import ids
from carillon.contracts.records import CategoryPolicy
from gateway.admission import bulk_reservations, reservations
from gateway.batches.services import storing
from gateway.config import RecipientLimit
from gateway.connections import redis_client
from gateway.notifications.models import Notification
from gateway.tests.admission.test_quota import UNREACHABLE, give, make_claim, used
from gateway.tests.batches.requests import accepted, inline, refusals, send, to
from gateway.tests.calls import inline as single
from gateway.tests.conftest import Tenant, forget_connections
from gateway.tests.factories import make_notification
from gateway.tests.notifications.test_idempotency import quota_key
from gateway.tests.records import make_user
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]


@pytest.mark.django_db
@pytest.mark.parametrize("most", [3, 1_200])
def test_where_the_quota_ends_the_first_are_accepted(tenant: Tenant, most: int) -> None:
    give(tenant, most)
    data = accepted(tenant, inline(*to(*range(most + 300))))
    assert (data["accepted"], data["refused"]) == (most, 300)
    assert refusals(data) == dict.fromkeys(range(most, most + 300), "quota_exceeded")
    assert Notification.objects.count() == used(tenant) == most
    assert send(tenant, inline(*to("a"))).error == (400, "all_recipients_refused")


@pytest.mark.django_db
def test_what_was_refused_otherwise_uses_none(tenant: Tenant) -> None:
    give(tenant, 1_000)
    tenant.users.add_user(tenant.id, make_user(external_id="no", preferences={"email": False}))
    accepted(tenant, inline({"user_id": "no"}, {"user_id": "nobody"}, {"to": "x"}, *to("a")))
    assert used(tenant) == 1
    assert send(tenant, inline({"user_id": "nobody"})).status == 400
    assert used(tenant) == 1


@pytest.mark.django_db
def test_nothing_stays_reserved(tenant: Tenant) -> None:
    give(tenant, 10_000)
    accepted(tenant, inline(*to(*range(700))))
    assert redis_client().zcard(quota_key(tenant).replace("quota", "reservations")) == 0
    assert used(tenant) == 700


@pytest.mark.django_db
def test_near_the_limit_postgresql_decides(tenant: Tenant) -> None:
    """Redis undercounts by five; nobody gets a sixth of five."""
    give(tenant, 5)
    assert accepted(tenant, inline(*to(*range(3))))["accepted"] == 3
    redis_client().set(quota_key(tenant), 0)
    data = accepted(tenant, inline(*to(*range(10, 15))))
    assert (data["accepted"], data["refused"]) == (2, 3)
    assert Notification.objects.count() == 5


@pytest.mark.django_db
def test_redis_learns_in_the_middle_what_it_forgot(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tenant, 10_000)
    make_notification(tenant.organization)
    reserve_many = bulk_reservations.reserve_many

    def forgetful(claims: Any) -> bulk_reservations.Granted:
        redis_client().delete(quota_key(tenant))
        return reserve_many(claims)

    monkeypatch.setattr(bulk_reservations, "reserve_many", forgetful)
    accepted(tenant, inline(*to(*range(1_200))))
    assert used(tenant) == 1_201


@pytest.mark.django_db
def test_without_redis_postgresql_counts(tenant: Tenant, settings: Any) -> None:
    give(tenant, 800)
    settings.CARILLON = replace(settings.CARILLON, redis_url=UNREACHABLE)
    forget_connections()
    data = accepted(tenant, inline(*to(*range(1_100))))
    assert (data["accepted"], data["refused"]) == (800, 300)
    assert min(refusals(data)) == 800


def test_bulk_and_single_at_once_keep_to_the_quota(committed_tenant: Tenant) -> None:
    give(committed_tenant, 900)

    def bulk(number: int) -> int:
        names = (f"{number}-{n}" for n in range(400))
        answer = send(committed_tenant, inline(*to(*names)))
        return int(answer.data["accepted"]) if answer.status == 202 else 0

    def one(number: int) -> int:
        return int(committed_tenant.api.send(single(to=f"s{number}@example.com")).status == 202)

    calls = [lambda n=n: bulk(n) for n in range(4)] + [lambda n=n: one(n) for n in range(8)]
    assert sum(at_once(calls)) == 900
    assert Notification.objects.count() == 900


@pytest.mark.django_db
def test_each_recipient_has_their_limit(tenant: Tenant, configure: Any) -> None:
    configure(recipient_limit=RecipientLimit(most=2, seconds=60, exempt_otp=True))
    data = accepted(tenant, inline(*to("a", "a", "b", "a")))
    assert refusals(data) == {3: "rate_limit_exceeded"}
    assert "2 notifications in 60 seconds" in data["refusals"][0]["message"]
    assert tenant.api.send(single(to="a@example.com")).error == (429, "rate_limit_exceeded")
    assert tenant.api.send(single(to="b@example.com")).status == 202
    assert used(tenant) == 4


@pytest.mark.django_db
def test_what_was_not_stored_is_given_back(
    tenant: Tenant, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(recipient_limit=RecipientLimit(most=1, seconds=60, exempt_otp=True))
    give(tenant, 10_000)
    body = inline(*to(*range(700)), request_id="r")

    def fail(*_: object) -> Any:
        raise OperationalError("the database is gone")

    with monkeypatch.context() as outage:
        outage.setattr(storing.Insertion, "stored", fail)
        assert send(tenant, body).error == (503, "service_unavailable")
    assert used(tenant) == 0
    data = accepted(tenant, body)
    assert (data["accepted"], data["refused"]) == (700, 0)


@pytest.mark.django_db
def test_frequency_caps_hold_within_a_request(tenant: Tenant) -> None:
    tenant.users.decide(
        tenant.id, categories={"news": CategoryPolicy(cap_limit=2, cap_seconds=3_600)}
    )
    tenant.users.add_user(tenant.id, make_user(external_id="u"))
    data = accepted(tenant, inline(*[{"user_id": "u"}] * 3, category="news"))
    assert (data["accepted"], data["rejected"]) == (2, 1)
    assert Notification.objects.get(status="rejected").reason == "frequency_capped"
    assert used(tenant) == 2


@pytest.mark.django_db
def test_otp_is_exempt_from_the_recipients_limit(tenant: Tenant, configure: Any) -> None:
    from gateway.tests.records import make_template

    configure(recipient_limit=RecipientLimit(most=1, seconds=60, exempt_otp=True))
    tenant.templates.add_template(tenant.id, make_template("login_otp"))
    body = {
        "notification_type": "email",
        "template_code": "login_otp",
        "variables": {"name": "Ada"},
        "recipients": to("a", "a"),
    }
    assert accepted(tenant, body)["accepted"] == 2
    assert Counter(Notification.objects.values_list("lane", flat=True)) == {"high": 2}


@pytest.mark.django_db
def test_abandoned_reservations_are_settled_by_what_is_stored(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process died with thirty: one was stored. The next bulk request settles them all."""
    give(tenant, 1_000)
    stored = make_notification(tenant.organization)
    claims = [make_claim(tenant, channel="email") for _ in range(29)]
    claims.append(make_claim(tenant, notification_id=ids.parse_id("notif", stored.pk)))
    redis_client().set(quota_key(tenant), 0)
    assert bulk_reservations.reserve_many(claims).used == 30
    monkeypatch.setattr(reservations, "SUSPICIOUS_SECONDS", -1)
    accepted(tenant, inline(*to("a")))
    monkeypatch.undo()
    accepted(tenant, inline(*to("b")))
    assert used(tenant) == Notification.objects.count() == 3


@pytest.mark.django_db
def test_leaked_reservations_do_not_block_the_last_of_the_quota(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tenant, 40)
    bulk_reservations.reserve_many([make_claim(tenant, quota=40) for _ in range(30)])
    assert accepted(tenant, inline(*to(*range(20))))["accepted"] == 10
    monkeypatch.setattr(reservations, "SUSPICIOUS_SECONDS", -1)
    data = accepted(tenant, inline(*to(*range(20, 60))))
    assert (data["accepted"], data["refused"]) == (30, 10)


@pytest.mark.django_db
def test_reserving_and_releasing_twice_counts_once(tenant: Tenant) -> None:
    claims = [make_claim(tenant, recipient=f"u{n}") for n in range(3)]
    bulk_reservations.reserve_many(claims)
    assert bulk_reservations.reserve_many(claims).used == 3
    bulk_reservations.release_many(claims, in_redis=True)
    bulk_reservations.release_many(claims, in_redis=True)
    assert used(tenant) == 0


@pytest.mark.django_db
def test_test_keys_use_none(tenant: Tenant) -> None:
    from gateway.tests.batches.requests import BULK

    give(tenant, 1)
    assert tenant.test_api.post(BULK, inline(*to(*range(5)))).data["accepted"] == 5
    assert used(tenant) == 0
