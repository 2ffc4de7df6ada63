"""What people and organizations decide: suppressions, choices, essential categories, caps."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts.records import CategoryPolicy, UserRecord
from gateway.connections import redis_client
from gateway.notifications.models import Notification
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import NOTIFICATIONS, Answer, inline
from gateway.tests.conftest import Tenant, forget_connections
from gateway.tests.notifications.test_idempotency import at_once, quota_key
from gateway.tests.records import make_template, make_user

pytestmark = [pytest.mark.integration]

EVERY_HOUR = [{"start": "00:00", "end": "24:00"}]


def sms(user: UserRecord | str, **fields: object) -> dict[str, object]:
    user_id = user if isinstance(user, str) else user.user_id
    return {
        "notification_type": "sms",
        "user_id": user_id,
        "content": {"body": "B"},
        "category": "news",
        **fields,
    }


def outcome(answer: Answer) -> tuple[str, str | None]:
    assert answer.status == 202, answer.body
    return answer.data["status"], answer.data.get("reason")


def decided(**categories: CategoryPolicy) -> dict[str, Any]:
    return {"categories": categories}


@pytest.mark.django_db
def test_a_default_holds_for_the_very_next_send(tenant: Tenant) -> None:
    """Both are cached and fresh: only the policy is written anew."""
    user = tenant.users.add_user(tenant.id, make_user())
    assert outcome(tenant.api.send(sms(user))) == ("accepted", None)
    tenant.users.decide(tenant.id, preferences={"sms": False})
    assert outcome(tenant.api.send(sms(user))) == ("rejected", "user_opted_out")
    tenant.users.decide(tenant.id)
    assert outcome(tenant.api.send(sms(user))) == ("accepted", None)
    tenant.users.decide(tenant.id, **decided(news=CategoryPolicy(preferences={"sms": False})))
    assert outcome(tenant.api.send(sms(user))) == ("rejected", "user_opted_out")
    assert outcome(tenant.api.send(sms(user, category="other"))) == ("accepted", None)


@pytest.mark.django_db
def test_what_the_user_said_counts_more_than_a_default(tenant: Tenant) -> None:
    wants = make_user(preferences={"sms": True}, categories={"news": {"sms": True}})
    tenant.users.add_user(tenant.id, wants)
    declines = tenant.users.add_user(tenant.id, make_user(categories={"news": {"sms": False}}))
    tenant.users.decide(
        tenant.id,
        preferences={"sms": False},
        **decided(news=CategoryPolicy(preferences={"sms": False})),
    )
    assert outcome(tenant.api.send(sms(wants))) == ("accepted", None)
    tenant.users.decide(tenant.id, preferences={"sms": True})
    assert outcome(tenant.api.send(sms(declines))) == ("rejected", "user_opted_out")


@pytest.mark.django_db
def test_an_organization_decides_what_is_essential(tenant: Tenant) -> None:
    user = tenant.users.add_user(
        tenant.id, make_user(preferences={"sms": False}, quiet_hours={"monday": EVERY_HOUR})
    )
    assert outcome(tenant.api.send(sms(user, category="security"))) == ("accepted", None)
    assert outcome(tenant.api.send(sms(user)))[0] == "rejected"
    tenant.users.decide(
        tenant.id,
        **decided(news=CategoryPolicy(essential=True), security=CategoryPolicy(essential=False)),
    )
    assert outcome(tenant.api.send(sms(user))) == ("accepted", None)
    assert outcome(tenant.api.send(sms(user, category="security")))[0] == "rejected"


@pytest.mark.django_db
def test_defaults_are_for_users_and_not_for_addresses(tenant: Tenant) -> None:
    tenant.users.decide(tenant.id, preferences={"email": False})
    assert outcome(tenant.api.send(inline(category="news"))) == ("accepted", None)


@pytest.mark.django_db
@pytest.mark.parametrize("category", ["news", "otp", ""])
def test_an_address_that_is_suppressed_gets_nothing(tenant: Tenant, category: str) -> None:
    fields = {"category": category} if category else {}
    assert outcome(tenant.api.send(inline(**fields))) == ("accepted", None)
    tenant.users.suppress(tenant.id, "email", "ada@example.com")
    for spelling in ("ada@example.com", "Ada@EXAMPLE.com"):
        answer = tenant.api.send(inline(to=spelling, **fields))
        assert outcome(answer) == ("rejected", "suppressed")
    shown = tenant.api.get(f"{NOTIFICATIONS}{answer.data['notification_id']}/").data
    assert (shown["status"], shown["reason"]) == ("rejected", "suppressed")
    # Another channel, another address, another organization.
    assert outcome(tenant.api.send(inline(to="eve@example.com", **fields)))[0] == "accepted"
    tenant.users.suppress(tenant.id, "email", "ada@example.com", reason="")
    assert outcome(tenant.api.send(inline(**fields)))[0] == "accepted"


@pytest.mark.django_db
def test_another_organizations_suppression_is_not_ours(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    other_tenant.users.suppress(other_tenant.id, "email", "ada@example.com")
    assert outcome(tenant.api.send(inline()))[0] == "accepted"


@pytest.mark.django_db
def test_a_user_who_is_suppressed_gets_not_even_what_is_essential(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(suppressed={"sms": "complaint"}))
    answer = tenant.api.send(sms(user, category="otp"))
    assert outcome(answer) == ("rejected", "suppressed")


@pytest.mark.django_db
def test_without_knowing_whether_an_address_is_suppressed_nothing_is_sent(tenant: Tenant) -> None:
    tenant.users.down = True
    assert tenant.api.send(inline()).error == (503, "user_service_unavailable")
    assert not Notification.objects.exists()
    # Nobody needs to be asked about a device.
    push = inline(notification_type="push", to="tok", content={"title": "T"})
    assert outcome(tenant.api.send(push))[0] == "accepted"


@pytest.mark.django_db
def test_it_all_comes_in_the_trip_that_recognises_the_key(
    tenant: Tenant, trips: list[bytes]
) -> None:
    user = tenant.users.add_user(tenant.id, make_user())
    tenant.templates.add_template(tenant.id, make_template(type="sms", category="news"))
    tenant.users.decide(tenant.id, **decided(news=CategoryPolicy(cap_limit=50, cap_seconds=60)))
    bodies = [
        sms(user, template_code="welcome_email", variables={"name": "x"}),
        inline(category="news"),
    ]
    del bodies[0]["content"]
    # The second time it is learned that a cap is among what they take.
    for body in 2 * bodies:
        assert outcome(tenant.api.send(body))[0] == "accepted"
    calls = len(tenant.users.calls) + len(tenant.templates.calls)
    for body in bodies:
        trips.clear()
        assert outcome(tenant.api.send(body))[0] == "accepted"
        assert len(trips) == 2
    assert len(tenant.users.calls) + len(tenant.templates.calls) == calls


def all_day(zone: str = "UTC") -> dict[str, Any]:
    """Quiet from today until tomorrow at noon; noon is never now."""
    now = datetime.now(UTC)
    today, tomorrow = (f"{now + timedelta(days=day):%A}".lower() for day in (0, 1))
    hours = {today: EVERY_HOUR, tomorrow: [{"start": "00:00", "end": "12:00"}]}
    return {"timezone": zone, "quiet_hours": hours}


def always() -> dict[str, Any]:
    week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    return {"quiet_hours": dict.fromkeys(week, EVERY_HOUR)}


def noon_tomorrow() -> datetime:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return tomorrow.replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.mark.django_db
def test_what_falls_into_quiet_hours_waits_for_their_end(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**all_day()))
    assert outcome(tenant.api.send(sms(user))) == ("scheduled", "quiet_hours")
    notification = Notification.objects.get()
    assert (notification.status, notification.reason) == ("scheduled", "quiet_hours")
    assert notification.scheduled_at == noon_tomorrow()
    assert OutboxMessage.objects.get().available_at == noon_tomorrow()
    path = f"{NOTIFICATIONS}{notification.pk}/"
    shown = tenant.api.get(path).data
    assert (shown["status"], shown["reason"]) == ("scheduled", "quiet_hours")
    # It is remembered once the notification has gone on.
    Notification.objects.update(status="delivered", reason="", delivered_at=noon_tomorrow())
    first = tenant.api.get(path).data["timeline"][0]
    assert (first["status"], first["reason"]) == ("scheduled", "quiet_hours")


@pytest.mark.django_db
def test_whoever_changes_the_time_decides(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**all_day()))
    path = f"{NOTIFICATIONS}{tenant.api.send(sms(user)).data['notification_id']}/"
    inside = noon_tomorrow() - timedelta(hours=1)
    assert tenant.api.call("PATCH", path, {"scheduled_at": inside.isoformat()}).status == 200
    shown = tenant.api.get(path).data
    assert (shown["status"], shown["reason"]) == ("scheduled", None)
    assert datetime.fromisoformat(shown["scheduled_at"]) == inside
    assert "reason" not in shown["timeline"][0]


@pytest.mark.django_db
def test_what_is_essential_wakes_people(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**all_day()))
    assert outcome(tenant.api.send(sms(user, category="otp"))) == ("accepted", None)


@pytest.mark.django_db
def test_a_time_within_quiet_hours_is_put_off_too(tenant: Tenant) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**all_day()))
    inside, outside = noon_tomorrow() - timedelta(hours=1), noon_tomorrow() + timedelta(minutes=5)
    answer = tenant.api.send(sms(user, scheduled_at=inside.isoformat()))
    assert outcome(answer) == ("scheduled", "quiet_hours")
    assert Notification.objects.get().scheduled_at == noon_tomorrow()
    answer = tenant.api.send(sms(user, scheduled_at=outside.isoformat()))
    assert outcome(answer) == ("scheduled", None)
    assert Notification.objects.get(pk=answer.data["notification_id"]).scheduled_at == outside


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [all_day, always])
def test_what_expires_before_quiet_hours_end_is_rejected(
    tenant: Tenant, hours: Callable[[], dict[str, Any]]
) -> None:
    user = tenant.users.add_user(tenant.id, make_user(**hours()))
    answer = tenant.api.send(sms(user, expires_at=noon_tomorrow().isoformat()))
    assert outcome(answer) == ("rejected", "quiet_hours")
    assert not OutboxMessage.objects.exists()
    assert redis_client().get(quota_key(tenant)) is None


@pytest.mark.django_db
def test_a_category_reaches_nobody_more_often_than_its_cap(tenant: Tenant) -> None:
    cap = CategoryPolicy(cap_limit=2, cap_seconds=3600)
    tenant.users.decide(tenant.id, **decided(news=cap, essential=CategoryPolicy(essential=True)))
    user = tenant.users.add_user(tenant.id, make_user(external_id="ext"))
    sent = [outcome(tenant.api.send(sms(who))) for who in (user.user_id, "ext", user.user_id)]
    assert sent == [("accepted", None)] * 2 + [("rejected", "frequency_capped")]
    # By email neither: it is the person who is counted. Another category, another person are not.
    email = sms(user, notification_type="email", content={"subject": "S", "body": "B"})
    assert outcome(tenant.api.send(email)) == ("rejected", "frequency_capped")
    assert outcome(tenant.api.send(sms(user, category="offers"))) == ("accepted", None)
    other = tenant.users.add_user(tenant.id, make_user())
    assert outcome(tenant.api.send(sms(other))) == ("accepted", None)
    # Neither does a test key use it up, nor is it held up by it.
    assert outcome(tenant.test_api.send(sms(user))) == ("accepted", None)
    assert int(redis_client().get(quota_key(tenant)) or 0) == 4
    rejected = Notification.objects.filter(reason="frequency_capped")
    assert rejected.count() == 2
    assert not OutboxMessage.objects.filter(notification__in=rejected).exists()


@pytest.mark.django_db
def test_a_repeat_of_what_was_capped_is_answered_as_before(tenant: Tenant) -> None:
    cap = CategoryPolicy(cap_limit=1, cap_seconds=60)
    tenant.users.decide(tenant.id, **decided(news=cap))
    tenant.api.send(inline(category="news"))
    body = inline(category="news", request_id="r")
    assert outcome(tenant.api.send(body)) == ("rejected", "frequency_capped")
    redis_client().flushdb()
    answer = tenant.api.send(body)
    assert (answer.status, answer.data["reason"]) == (200, "frequency_capped")


@pytest.mark.django_db
def test_a_cap_counts_by_the_time_of_sending(tenant: Tenant) -> None:
    """Two an hour, in every hour: whichever is asked for first."""
    cap = CategoryPolicy(cap_limit=2, cap_seconds=3600)
    tenant.users.decide(tenant.id, **decided(news=cap))
    now = datetime.now(UTC)

    def at(minutes: int) -> str:
        time = (now + timedelta(minutes=minutes)).isoformat()
        return outcome(tenant.api.send(inline(category="news", scheduled_at=time)))[0]

    assert [at(300), at(330)] == ["scheduled"] * 2
    # 300 and 330 with any of these would be three within an hour.
    assert [at(280), at(315), at(359), at(345)] == ["rejected"] * 4
    assert [at(360), at(390)] == ["scheduled"] * 2
    assert [at(270), at(240)] == ["scheduled", "scheduled"]
    assert [at(250), at(361)] == ["rejected"] * 2


def test_a_cap_holds_for_many_at_once(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    tenant.users.decide(tenant.id, **decided(news=CategoryPolicy(cap_limit=7, cap_seconds=3600)))
    tenant.organization.plan = "enterprise"
    tenant.organization.save()
    user = tenant.users.add_user(tenant.id, make_user())
    answers = at_once(30, lambda: tenant.api.send(sms(user)))
    found = Counter((a.status, a.body.get("data", {}).get("reason")) for a in answers)
    assert found == {(202, None): 7, (202, "frequency_capped"): 23}
    assert OutboxMessage.objects.count() == 7


@pytest.mark.django_db
def test_without_redis_a_cap_holds_within_each_process(tenant: Tenant, settings: Any) -> None:
    cap = CategoryPolicy(cap_limit=2, cap_seconds=3600)
    tenant.users.decide(tenant.id, **decided(news=cap))
    settings.CARILLON = replace(settings.CARILLON, redis_url="redis://127.0.0.1:1/0")
    forget_connections()
    found = [outcome(tenant.api.send(inline(category="news")))[0] for _ in range(3)]
    assert found == ["accepted", "accepted", "rejected"]
