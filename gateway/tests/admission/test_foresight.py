"""What is reserved with the key: spared a trip where it was right, given back where it was not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import OperationalError

from carillon.contracts.records import CategoryPolicy, UserRecord
from gateway.admission import foresight, reservations
from gateway.admission.entry import last_record
from gateway.admission.scripts import ENTER_AND_RESERVE, RedisDown, Scripts
from gateway.config import RecipientLimit
from gateway.connections import redis_client
from gateway.notifications import acceptance, composition, storage
from gateway.notifications.models import Notification
from gateway.organizations import key_records
from gateway.tests.admission.test_quota import give, make_claim, unique, used
from gateway.tests.calls import Api, inline
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def known(tenant: Tenant) -> None:
    """The process has seen the keys, and Redis counts the organization's month."""
    give(tenant, 1_000)
    assert tenant.api.send(inline(to="known@example.com")).status == 202
    assert tenant.test_api.send(inline(to="known@example.com")).status == 202


@pytest.fixture
def user(tenant: Tenant) -> UserRecord:
    """Somebody whom the cache knows."""
    found: UserRecord = tenant.users.add_user(tenant.id, make_user(external_id="customer-1"))
    assert tenant.api.send(to_user(found, notification_type="sms", content={"body": "B"})).status
    return found


def to_user(user: UserRecord, **fields: object) -> dict[str, object]:
    body = inline(user_id=user.user_id, **fields)
    return {name: value for name, value in body.items() if name != "to"}


def now_is(tenant: Tenant, **fields: object) -> None:
    """Another process has changed the key."""
    record = last_record(tenant.api.key)
    assert record is not None
    changed = msgspec.structs.replace(record, revision=record.revision + 1, **fields)
    key_records.write(redis_client(), changed)


def taken(tenant: Tenant) -> dict[str, object]:
    """All that Redis has of limits, quota and request_ids; of lists of reservations the length.

    What was settled goes off its list with the next reservation.
    """
    client = redis_client()
    for place, notification_id in reservations.take_settled():
        client.zrem(place, notification_id)
    found: dict[str, object] = {"used": used(tenant)}
    for kind in ("recipient", "request", "cap"):
        found[kind] = sorted(client.keys(f"carillon:{kind}:*"))
    for key in client.keys("carillon:reservations:*"):
        found[str(key)] = client.zcard(key)
    return found


class TestRight:
    """What is what it looks like."""

    def test_an_address_takes_one_trip(self, tenant: Tenant, trips: list[bytes]) -> None:
        tenant.api.send(inline(to="other@example.com"))
        trips.clear()
        assert tenant.api.send(inline(to="other@example.com")).status == 202
        assert len(trips) == 2
        assert tenant.api.send(inline(to=unique())).status == 202
        # Its recipient got something just now; the next one did not.
        assert len(trips) == 3

    @pytest.mark.parametrize("named", [{}, {"request_id": "order-1"}])
    def test_a_user_takes_one_trip(
        self, tenant: Tenant, trips: list[bytes], named: dict[str, object]
    ) -> None:
        user = tenant.users.add_user(tenant.id, make_user())
        trips.clear()
        assert tenant.api.send(to_user(user, **named)).status == 202
        assert len(trips) == 1
        assert used(tenant) == Notification.objects.filter(mode="live").count() == 2

    def test_what_is_headed_counts_as_named(self, tenant: Tenant, trips: list[bytes]) -> None:
        answer = tenant.api.send(inline(to=unique()), Idempotency_Key='"order-1"')
        assert (answer.status, len(trips)) == (202, 1)
        again = tenant.api.send(inline(to=unique(), request_id="order-1"))
        assert again.error == (422, "request_id_conflict")

    def test_it_is_answered_like_any_other(self, tenant: Tenant) -> None:
        answer = tenant.api.send(inline(to=unique()))
        assert '"month";q=1000;w=' in answer.headers["RateLimit-Policy"]
        assert '"month";r=998;t=' in answer.headers["RateLimit"]
        assert answer.data["status"] == "accepted"

    def test_the_recipients_limit_holds(self, tenant: Tenant, configure: Any) -> None:
        configure(recipient_limit=RecipientLimit(most=6, seconds=60, exempt_otp=True))
        tenant.api.send(inline(to=unique()))
        answers = [tenant.api.send(inline()).status for _ in range(8)]
        assert answers == [202] * 6 + [429] * 2

    def test_a_repeat_is_answered_with_the_first(self, tenant: Tenant) -> None:
        body = inline(request_id="order-1", to=unique())
        first, again = tenant.api.send(body), tenant.api.send(body)
        assert (first.status, again.status) == (202, 200)
        assert first.data == again.data
        assert used(tenant) == 2

    def test_abandoned_reservations_are_settled(
        self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reservations.reserve(make_claim(tenant))
        assert used(tenant) == 2
        monkeypatch.setattr(reservations, "SUSPICIOUS_SECONDS", -1)
        assert tenant.api.send(inline(to=unique())).status == 202
        monkeypatch.undo()
        assert used(tenant) == 2

    def test_a_database_that_fails_lets_the_request_id_be_used_again(
        self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_new: object) -> bool:
            raise OperationalError("the database is gone")

        body = inline(to=unique(), request_id="order-1")
        with monkeypatch.context() as outage:
            outage.setattr(storage, "insert", fail)
            assert tenant.api.send(body).status == 503
        assert tenant.api.send(body).status == 202


class TestWrong:
    """What is not, leaves everything as it was."""

    @pytest.mark.parametrize(
        "change",
        [
            {"template_code": "nothing", "content": None},
            {"template_code": "welcome_email", "content": None},
            {"content": {"subject": "S"}},
            {"content": {"subject": "S", "body": "B", "html": 5}},
            {"priority": "urgent"},
            {"priority": 99},
            {"unknown": 1},
            {"request_id": "\ud800"},
            {"request_id": "x" * 500},
            {"request_id": 5},
            {"category": ["news"]},
            {"template_code": 5},
            {"user_id": "user_" + "0" * 32},
            {"user_id": "user_" + "0" * 32, "to": None},
            {"user_id": "user_\ud800", "to": None},
            {"notification_type": "pigeon"},
            {"notification_type": ["email"]},
            {"notification_type": "sms"},
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"scheduled_at": "yesterday"},
        ],
    )
    def test_a_refusal_gives_all_of_it_back(self, tenant: Tenant, change: dict[str, Any]) -> None:
        tenant.templates.add_template(tenant.id, make_template())
        before = taken(tenant)
        body = inline(to="new@example.com", request_id="order-1") | change
        body = {name: value for name, value in body.items() if value is not None}
        assert 400 <= tenant.api.send(body).status < 500
        assert taken(tenant) == before
        assert tenant.api.send(inline(to="new@example.com", request_id="order-1")).status == 202

    def test_an_internal_service_that_is_down_does_too(self, tenant: Tenant) -> None:
        before = taken(tenant)
        tenant.users.down = True
        answer = tenant.api.send(inline(to="new@example.com", request_id="order-1"))
        assert answer.error == (503, "user_service_unavailable")
        assert taken(tenant) == before

    def test_what_is_rejected_takes_nothing(self, tenant: Tenant) -> None:
        user = tenant.users.add_user(tenant.id, make_user(preferences={"email": False}))
        before = taken(tenant)
        assert tenant.api.send(to_user(user, request_id="r")).data["status"] == "rejected"
        assert taken(tenant) == before

    def test_a_dry_run_takes_nothing(self, tenant: Tenant, trips: list[bytes]) -> None:
        before = taken(tenant)
        assert tenant.api.send(inline(to=unique(), dry_run=True)).status == 200
        assert taken(tenant) == before
        assert ENTER_AND_RESERVE.digest.encode() not in b"".join(trips)

    def test_a_cap_is_taken_all_the_same(self, tenant: Tenant, trips: list[bytes]) -> None:
        news = CategoryPolicy(cap_limit=2, cap_seconds=3600)
        tenant.users.decide(tenant.id, categories={"news": news})
        user = tenant.users.add_user(tenant.id, make_user())
        answers = [tenant.api.send(to_user(user, category="news")).data for _ in range(3)]
        assert [a["status"] for a in answers] == ["accepted", "accepted", "rejected"]
        assert used(tenant) == 3
        # It was learned, for a while.
        trips.clear()
        other = tenant.users.add_user(tenant.id, make_user())
        assert tenant.api.send(to_user(other, category="news")).status == 202
        assert len(trips) == 2

    def test_what_was_learned_is_tried_again_after_a_while(
        self, tenant: Tenant, trips: list[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        foresight._be_mistaken((tenant.id, "", ""))
        assert (tenant.api.send(inline(to=unique())).status, len(trips)) == (202, 2)
        monkeypatch.setattr(foresight, "MISTAKEN_SECONDS", -1.0)
        foresight._be_mistaken((tenant.id, "", ""))
        trips.clear()
        assert (tenant.api.send(inline(to=unique())).status, len(trips)) == (202, 1)

    def test_a_one_time_password_does_not_count_for_its_recipient(self, tenant: Tenant) -> None:
        tenant.templates.add_template(tenant.id, make_template("code", category="otp"))
        body = inline(to="new@example.com", template_code="code", variables={"name": "N"})
        del body["content"]
        before = taken(tenant)
        assert tenant.api.send(body).status == 202
        assert taken(tenant)["recipient"] == before["recipient"]
        assert used(tenant) == 2

    def test_another_id_of_a_user_is_not_foreseen(
        self, tenant: Tenant, user: UserRecord, trips: list[bytes]
    ) -> None:
        trips.clear()
        assert tenant.api.send(to_user(user) | {"user_id": "customer-1"}).status == 202
        assert len(trips) == 2
        # That of everybody known, and the user's on two channels.
        assert len(taken(tenant)["recipient"]) == 3  # type: ignore[arg-type]


class TestKey:
    """What was last seen of the key is not what it is now."""

    def test_a_quota_that_was_lowered_holds(self, tenant: Tenant) -> None:
        now_is(tenant, monthly_quota=1)
        answer = tenant.api.send(inline(to="new@example.com", request_id="order-1"))
        assert answer.error == (429, "quota_exceeded")
        assert used(tenant) == 1
        assert not redis_client().keys("carillon:request:*")

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"is_active": False}, 401),
            ({"expires_at": datetime.now(UTC) - timedelta(days=1)}, 401),
            ({"organization_is_active": False}, 403),
            ({"scopes": ("read",)}, 403),
        ],
    )
    def test_a_key_that_may_no_more_takes_nothing(
        self, tenant: Tenant, change: dict[str, object], status: int
    ) -> None:
        before = taken(tenant)
        now_is(tenant, **change)
        assert tenant.api.send(inline(to="new@example.com")).status == status
        assert taken(tenant) == before

    def test_a_key_that_was_renamed_goes_on(self, tenant: Tenant, trips: list[bytes]) -> None:
        now_is(tenant, name="renamed")
        assert [tenant.api.send(inline(to=unique())).status for _ in range(2)] == [202] * 2
        # Given back and taken again, and then as ever.
        assert (len(trips), used(tenant)) == (3 + 1, 3)

    def test_a_key_that_may_not_send_takes_nothing(self, tenant: Tenant) -> None:
        api = tenant.api_with("read")
        assert api.get("/api/v1/notifications/").status == 200
        before = taken(tenant)
        assert api.send(inline(to=unique())).status == 403
        assert taken(tenant) == before

    def test_a_wrong_secret_behind_a_known_prefix_takes_nothing(self, tenant: Tenant) -> None:
        before = taken(tenant)
        forged = Api(f"{tenant.api.key[:-5]}AAAAA")
        assert forged.send(inline(to=unique())).status == 401
        assert taken(tenant) == before

    def test_another_organization_in_the_header_takes_nothing(
        self, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        before = taken(tenant)
        answer = tenant.api.send(inline(to=unique()), X_Organization_ID=other_tenant.id)
        assert answer.status == 403
        assert taken(tenant) == before

    def test_over_the_organizations_limit_nothing_is_taken(
        self, tenant: Tenant, configure: Any
    ) -> None:
        from gateway.config import Plan

        configure(plans={"pro": Plan(requests_per_minute=2, monthly_quota=None)})
        answers = [tenant.api.send(inline(to=unique())).status for _ in range(3)]
        before = taken(tenant)
        assert answers[-1] == tenant.api.send(inline(to=unique())).status == 429
        assert taken(tenant) == before

    def test_a_test_key_takes_no_quota(self, tenant: Tenant, trips: list[bytes]) -> None:
        assert tenant.test_api.send(inline(to=unique())).status == 202
        assert (len(trips), used(tenant)) == (1, 1)


class TestRedis:
    """It fails, or forgets."""

    def test_what_was_to_be_settled_is_settled_later(
        self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(*_args: object) -> Any:
            raise RedisDown

        tenant.api.send(inline(to=unique()))
        waiting = list(reservations._committed)
        assert len(waiting) == 1
        with monkeypatch.context() as outage:
            outage.setattr(Scripts, "run", down)
            assert tenant.api.send(inline(to=unique())).status == 202
        assert list(reservations._committed) == waiting
        assert tenant.api.send(inline(to=unique())).status == 202
        assert used(tenant) == Notification.objects.filter(mode="live").count() == 4

    def test_a_key_that_redis_forgot_is_read_again(self, tenant: Tenant) -> None:
        waiting = list(reservations._committed)
        redis_client().flushdb()
        answer = tenant.api.send(inline(to=unique()))
        assert (answer.status, used(tenant)) == (202, 2)
        assert '"month";r=998;' in answer.headers["RateLimit"]
        assert not set(waiting) & set(reservations._committed)

    def test_near_the_quota_postgresql_counts(self, tenant: Tenant, trips: list[bytes]) -> None:
        now_is(tenant, monthly_quota=60)
        tenant.api.send(inline(to=unique()))
        trips.clear()
        assert tenant.api.send(inline(to=unique())).status == 202
        assert len(trips) == 2

    def test_a_small_limit_is_not_held_from_others(
        self, tenant: Tenant, configure: Any, trips: list[bytes]
    ) -> None:
        configure(recipient_limit=RecipientLimit(most=4, seconds=60, exempt_otp=True))
        tenant.api.send(inline(to=unique()))
        trips.clear()
        assert tenant.api.send(inline(to=unique())).status == 202
        assert len(trips) == 2


def test_what_is_held_refuses_nobody(
    tenant: Tenant, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody gets as many as the limit says while a request that will be refused is held up."""
    configure(recipient_limit=RecipientLimit(most=6, seconds=60, exempt_otp=True))
    tenant.api.send(inline(to=unique()))
    compose = composition.compose
    answers: list[int] = []

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(acceptance, "compose", compose)
        answers.extend(tenant.api.send(inline(to="new@example.com")).status for _ in range(5))
        return compose(*args)

    monkeypatch.setattr(acceptance, "compose", meanwhile)
    late = inline(to="new@example.com", expires_at="2020-01-01T00:00:00Z")
    assert tenant.api.send(late).status == 400
    assert answers == [202] * 5
    assert tenant.api.send(inline(to="new@example.com")).status == 202
    assert tenant.api.send(inline(to="new@example.com")).status == 429
