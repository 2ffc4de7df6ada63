"""A plan says what would become of a notification, and nothing comes of the plan."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from carillon.contracts.records import CategoryPolicy
from gateway.config import RecipientLimit
from gateway.connections import redis_client
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.models import OutboxMessage
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant, forget_connections
from gateway.tests.factories import make_provider_account
from gateway.tests.notifications.test_decisions import all_day, noon_tomorrow
from gateway.tests.records import make_template, make_user, make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

UNREACHABLE = "redis://127.0.0.1:1/0"


def plan(tenant: Tenant, body: dict[str, Any], *, test_key: bool = False) -> dict[str, Any]:
    api = tenant.test_api if test_key else tenant.api
    answer = api.send({**body, "dry_run": True})
    assert answer.status == 200, answer.body
    assert answer.body["message"].startswith("A dry run")
    data: dict[str, Any] = answer.data
    return data


def refusals(planned: dict[str, Any]) -> list[str]:
    return [each["error"] for each in planned["refusals"]]


def counted() -> dict[Any, Any]:
    """All that is counted or remembered in Redis, but for the organization's requests."""
    client = redis_client()
    kinds = ("quota", "reservations", "recipient", "request", "cap")
    keys = [key for kind in kinds for key in client.keys(f"carillon:{kind}:*")]
    return {key: client.dump(key) for key in keys}


def test_a_plan_tells_everything(tenant: Tenant, configure: Any) -> None:
    configure(providers={"sms": ("twilio", "msg91"), "email": ("smtp",)})
    user = tenant.users.add_user(tenant.id, make_user(language="de", **all_day()))
    version = make_version(content="Hallo {{ name }} “!", subject="", html_content="")
    tenant.templates.add_template(
        tenant.id,
        make_template(type="sms", category="news", languages={"en": make_version(), "de": version}),
    )
    tenant.users.decide(
        tenant.id, categories={"news": CategoryPolicy(cap_limit=3, cap_seconds=3600)}
    )
    tenant.organization.monthly_quota = 1_000
    tenant.organization.save()
    planned = plan(
        tenant,
        {
            "notification_type": "sms",
            "user_id": user.user_id,
            "template_code": "welcome_email",
            "variables": {"name": "Ada"},
            "priority": 2,
        },
    )
    assert planned == {
        "status": "scheduled",
        "reason": "quiet_hours",
        "refusals": [],
        "send_at": noon_tomorrow().isoformat().replace("+00:00", "Z"),
        "expires_at": None,
        "notification_type": "sms",
        "user_id": user.user_id,
        "recipients": ["+44***23"],
        "template_code": "welcome_email",
        "template_version": 3,
        "language": "de",
        "content": {"kind": "text", "body": "Hallo Ada “!"},
        "category": "news",
        "is_essential": False,
        "lane": "bulk",
        "priority": 2,
        "delivery": "at_least_once",
        "providers": ["twilio", "msg91"],
        "stand_ins": [],
        "sms": {"encoding": "UCS-2", "units": 12, "segments": 1, "forced_by": "“"},
        "fallback": None,
        "quota": {"limit": 1_000, "used": 0, "remaining": 1_000},
        "limits": [
            {"policy": "minute", "limit": 6_000, "seconds": 60, "remaining": 5_999},
            {"policy": "recipient", "limit": 10, "seconds": 60, "remaining": 10},
            {"policy": "category", "limit": 3, "seconds": 3600, "remaining": 3},
        ],
    }


def test_a_test_key_is_delivered_by_the_sandbox_and_has_no_quota(tenant: Tenant) -> None:
    planned = plan(tenant, inline(), test_key=True)
    assert (planned["providers"], planned["quota"]) == (["sandbox"], None)
    assert planned["recipients"] == ["ad***@example.com"]


@pytest.mark.parametrize("with_redis", [True, False])
def test_nothing_comes_of_it(tenant: Tenant, settings: Any, with_redis: bool) -> None:
    tenant.users.decide(tenant.id, categories={"news": CategoryPolicy(cap_limit=1, cap_seconds=60)})
    if not with_redis:
        settings.CARILLON = replace(settings.CARILLON, redis_url=UNREACHABLE)
        forget_connections()
    before = counted() if with_redis else {}
    body = inline(request_id="order-1", category="news")
    for _ in range(15):
        assert plan(tenant, body)["status"] == "accepted"
    if with_redis:
        assert counted() == before
    stored = (Notification, NotificationContent, OutboxMessage)
    assert [model.objects.count() for model in stored] == [0, 0, 0]
    assert tenant.api.send(body).status == 202
    assert refusals(plan(tenant, body)) == ["frequency_capped"]


def test_every_reason_is_named(tenant: Tenant, configure: Any) -> None:
    configure(recipient_limit=RecipientLimit(most=1, seconds=60, exempt_otp=True))
    tenant.organization.monthly_quota = 1
    tenant.organization.save()
    user = tenant.users.add_user(
        tenant.id,
        make_user(
            suppressed={"sms": "complaint"},
            preferences={"sms": False},
            categories={"news": {"sms": False}},
            **all_day(),
        ),
    )
    cap = CategoryPolicy(cap_limit=1, cap_seconds=31 * 86_400)
    tenant.users.decide(tenant.id, categories={"news": cap})
    body = {
        "notification_type": "sms",
        "user_id": user.user_id,
        "content": {"body": "B"},
        "category": "news",
    }
    tenant.users.add_user(tenant.id, make_user(user_id=user.user_id))
    assert tenant.api.send(body).status == 202
    tenant.users.add_user(tenant.id, user)
    redis_client().delete(*redis_client().keys("carillon:user:*"))
    planned = plan(tenant, {**body, "expires_at": noon_tomorrow().isoformat()})
    assert planned["status"] == "rejected"
    assert [(each["error"], each["http_status"]) for each in planned["refusals"]] == [
        ("suppressed", 202),
        ("user_opted_out", 202),
        ("user_opted_out", 202),
        ("quiet_hours", 202),
        ("frequency_capped", 202),
        ("rate_limit_exceeded", 429),
        ("quota_exceeded", 429),
    ]
    assert planned["send_at"] is None
    assert "+447700900123" not in str(planned)


def test_what_is_wrong_with_user_template_and_times_is_named_together(tenant: Tenant) -> None:
    tenant.templates.add_template(tenant.id, make_template())
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    body = {
        "notification_type": "email",
        "user_id": "nobody",
        "template_code": "welcome_email",
        "scheduled_at": past,
    }
    planned = plan(tenant, body)
    assert planned["status"] == "refused"
    assert refusals(planned) == ["validation_error", "missing_variables", "user_not_found"]
    assert list(planned["refusals"][1]["details"]) == ["name"]
    assert planned["template_version"] == 3
    user = tenant.users.add_user(tenant.id, make_user(email=""))
    body |= {"user_id": user.user_id, "template_code": "other"}
    assert refusals(plan(tenant, body)) == ["validation_error", "template_not_found", "no_address"]


def test_what_is_wrong_with_the_request_itself_is_400(tenant: Tenant) -> None:
    assert tenant.api.send(inline(dry_run=True, priority=11)).error == (400, "validation_error")
    assert tenant.api.send({"dry_run": True}).error == (400, "missing_fields")


def test_what_nobody_knows_is_503(tenant: Tenant) -> None:
    tenant.users.down = True
    assert tenant.api.send(inline(dry_run=True)).error == (503, "user_service_unavailable")


@pytest.mark.parametrize("seed", range(25))
def test_the_real_send_does_as_planned(tenant: Tenant, configure: Any, seed: int) -> None:
    """Of the same request in the same minute, whatever it finds."""
    chance = Random(seed)
    configure(recipient_limit=RecipientLimit(most=4, seconds=86_400, exempt_otp=True))
    tenant.organization.monthly_quota = chance.choice((3, 100, None))
    tenant.organization.save()
    users = [tenant.users.add_user(tenant.id, any_user(chance)) for _ in range(3)]
    for code in ("welcome_email", "login_otp"):
        template = make_template(
            code,
            type=chance.choice(("email", "sms")),
            category=chance.choice(("", "news", "otp")),
        )
        tenant.templates.add_template(tenant.id, template)
    tenant.users.decide(
        tenant.id,
        preferences={"sms": chance.random() > 0.3},
        categories={
            "news": CategoryPolicy(
                preferences=chance.choice(({}, {"email": False})),
                cap_limit=chance.choice((0, 2)),
                cap_seconds=3600,
            )
        },
    )
    if chance.random() < 0.3:
        tenant.users.suppress(tenant.id, "email", "ada@example.com")
    for _ in range(12):
        matches(tenant, any_request(chance, [user.user_id for user in users]))


def matches(tenant: Tenant, body: dict[str, Any]) -> None:
    planned = plan(tenant, body)
    sent = tenant.api.send(body)
    if planned["status"] == "refused":
        first = planned["refusals"][0]
        assert sent.error == (first["http_status"], first["error"]), (planned, sent.body)
        assert sent.body["message"].split(" Try again")[0] in first["message"]
        return
    assert sent.status == 202, (planned, sent.body)
    assert sent.data["status"] == planned["status"], planned
    assert sent.data.get("reason") == planned["reason"]
    stored = Notification.objects.select_related("content").get(pk=sent.data["notification_id"])
    for name in ("lane", "priority", "category", "template_version", "language"):
        assert (getattr(stored, name) or None) == planned[name]
    assert stored.content.content == planned["content"]
    assert len(stored.content.addresses) == len(planned["recipients"])
    is_promised = OutboxMessage.objects.filter(pk=stored.pk)
    if planned["send_at"] is None:
        assert not is_promised.exists()
    else:
        difference = is_promised.get().available_at - datetime.fromisoformat(planned["send_at"])
        # Now is a little later for the one than for the other.
        assert abs(difference) < timedelta(minutes=10)


def any_user(chance: Random) -> Any:
    hours = all_day() if chance.random() < 0.3 else {}
    return make_user(
        email=chance.choice(("ada@example.com", "eve@example.com", "")),
        language=chance.choice(("", "de")),
        preferences=chance.choice(({}, {"sms": True}, {"email": False})),
        categories=chance.choice(({}, {"news": {"email": True}}, {"news": {"sms": False}})),
        suppressed=chance.choice(({}, {}, {"sms": "complaint"})),
        **hours,
    )


def any_request(chance: Random, user_ids: list[str]) -> dict[str, Any]:
    channel = chance.choice(("email", "sms"))
    body: dict[str, Any] = {"notification_type": channel, "priority": chance.randint(1, 10)}
    if chance.random() < 0.7:
        body["user_id"] = chance.choice((*user_ids, "nobody"))
    else:
        body["to"] = {"email": "ada@example.com", "sms": "+447700900123"}[channel]
    if chance.random() < 0.6:
        body["template_code"] = chance.choice(("welcome_email", "login_otp", "missing"))
        body["variables"] = chance.choice(({"name": "Ada"}, {}))
    elif channel == "email":
        body["content"] = {"subject": "S", "body": "B"}
    else:
        body["content"] = {"body": "B"}
    if chance.random() < 0.5:
        body["category"] = chance.choice(("news", "otp", "other"))
    if chance.random() < 0.3:
        later = datetime.now(UTC) + timedelta(hours=chance.choice((-2, 1, 30)))
        body["scheduled_at"] = later.isoformat()
    if chance.random() < 0.2:
        body["expires_at"] = noon_tomorrow().isoformat()
    return body


def test_the_plan_names_the_organizations_own_providers(tenant: Tenant) -> None:
    for number, (provider, active) in enumerate(
        [("ses", True), ("postmark", False), ("sendgrid", True), ("ses", True)]
    ):
        make_provider_account(
            tenant.organization, provider=provider, is_active=active, position=number
        )
    planned = tenant.api.send(inline(dry_run=True)).data
    assert planned["providers"] == ["ses", "sendgrid"]
    assert tenant.test_api.send(inline(dry_run=True)).data["providers"] == ["sandbox"]
