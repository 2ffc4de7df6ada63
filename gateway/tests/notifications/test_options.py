"""What a template and a request add to a push and to a WhatsApp message, and whose word counts."""

from typing import Any

import pytest

from carillon.contracts.messages import ProviderTemplate, PushUrgency
from carillon.contracts.records import PushDelivery
from gateway.notifications.models import NotificationContent
from gateway.tests.calls import NOTIFICATIONS, inline
from gateway.tests.conftest import Tenant
from gateway.tests.records import make_template, make_user, make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DELIVERY = PushDelivery(collapse_key="orders", ttl=600, priority=PushUrgency.HIGH)
APPROVED = ProviderTemplate(
    name="order_sent",
    language="en_US",
    parameters=("{{ name|upper }}",),
    buttons={"0": "orders/{{ name }}"},
)
OTHER = {"name": "order_late", "parameters": ["two days"]}


def asked(tenant: Tenant, channel: str, **fields: Any) -> dict[str, Any]:
    """A request of a template of that channel, which a test names as `template`."""
    version = make_version(html_content="", **fields.pop("version", {}))
    record = make_template(type=channel, languages={"en": version}, **fields.pop("template", {}))
    tenant.templates.add_template(tenant.id, record)
    user = tenant.users.add_user(tenant.id, make_user())
    return {
        "notification_type": channel,
        "user_id": user.user_id,
        "template_code": record.code,
        "variables": {"name": "Ada"},
        **fields,
    }


def content(tenant: Tenant, body: dict[str, Any]) -> dict[str, Any]:
    """As it was stored."""
    answer = tenant.api.send(body)
    assert answer.status == 202, answer.body
    found: dict[str, Any] = NotificationContent.objects.latest("pk").content
    return found


WORDS = {"kind": "push", "title": "Welcome, Ada!", "body": "Hi Ada"}


def test_a_push_is_delivered_as_its_template_says(tenant: Tenant) -> None:
    body = asked(tenant, "push", template={"push": DELIVERY})
    assert content(tenant, body) == {
        **WORDS,
        "collapse_key": "orders",
        "ttl": 600,
        "priority": "high",
    }


def test_a_request_says_otherwise_of_what_it_names(tenant: Tenant) -> None:
    body = asked(
        tenant,
        "push",
        template={"push": DELIVERY},
        push={
            "ttl": 0,
            "collapse_key": "order A-17",
            "badge": 2,
            "image": "https://img.example/a.png",
            "action_url": "https://shop.example/orders/A-17",
            "data": {"order": "A-17"},
        },
    )
    assert content(tenant, body) == {
        **WORDS,
        "collapse_key": "order A-17",
        "ttl": 0,
        "priority": "high",
        "badge": 2,
        "image": "https://img.example/a.png",
        "action_url": "https://shop.example/orders/A-17",
        "data": {"order": "A-17"},
    }


def test_an_empty_key_takes_the_templates_away(tenant: Tenant) -> None:
    body = asked(tenant, "push", template={"push": DELIVERY}, push={"collapse_key": ""})
    assert "collapse_key" not in content(tenant, body)


def test_without_any_of_it_nothing_is_added(tenant: Tenant) -> None:
    assert content(tenant, asked(tenant, "push")) == WORDS


@pytest.mark.parametrize(
    ("push", "field"),
    [
        ({"ttl": 2_419_201}, "push.ttl"),
        ({"ttl": -1}, "push.ttl"),
        ({"collapse_key": "x" * 65}, "push.collapse_key"),
        ({"priority": "urgent"}, "push.priority"),
        ({"badge": 100_000}, "push.badge"),
        ({"image": "javascript:alert(1)"}, "push.image"),
        ({"action_url": "orders/A-17"}, "push.action_url"),
        ({"data": {"order": 17}}, "push"),
        ({"sound": "ding"}, "push.sound"),
    ],
)
def test_what_no_push_service_takes_is_refused(
    push: dict[str, Any], field: str, tenant: Tenant
) -> None:
    answer = tenant.api.send(asked(tenant, "push", push=push))
    assert answer.error == (400, "validation_error")
    assert any(name.startswith(field.partition(".")[0]) for name in answer.details)


def test_options_are_those_of_their_channel_and_of_a_template(tenant: Tenant) -> None:
    for name, options in (("push", {"ttl": 1}), ("whatsapp", {"template": OTHER})):
        answer = tenant.api.send(inline(**{name: options}))
        assert answer.details == {name: [answer.details[name][0]]}
        assert answer.details[name][0].startswith("Only a")
    whole = {"notification_type": "push", "to": "token", "content": {"title": "Hi"}}
    answer = tenant.api.send({**whole, "push": {"ttl": 1}})
    assert answer.details == {"push": ["With content, this is part of content."]}


# --- WhatsApp


def test_the_approved_template_is_filled_from_our_variables(tenant: Tenant) -> None:
    body = asked(tenant, "whatsapp", version={"provider_template": APPROVED, "content": ""})
    assert content(tenant, body) == {
        "kind": "text",
        "template": {
            "name": "order_sent",
            "language": "en_US",
            "parameters": ["ADA"],
            "buttons": {"0": "orders/Ada"},
        },
    }


def test_a_request_may_name_another(tenant: Tenant) -> None:
    body = asked(
        tenant,
        "whatsapp",
        version={"provider_template": APPROVED},
        whatsapp={"template": OTHER},
    )
    assert content(tenant, body) == {"kind": "text", "body": "Hi Ada", "template": OTHER}


def test_a_value_that_would_be_empty_is_refused_at_once(tenant: Tenant) -> None:
    body = asked(tenant, "whatsapp", version={"provider_template": APPROVED, "content": ""})
    answer = tenant.api.send({**body, "variables": {"name": "  "}})
    assert answer.error == (400, "validation_error")
    assert "no empty value" in answer.details["variables"][0]
    missing = tenant.api.send({**body, "variables": {}})
    assert missing.error == (400, "missing_variables")


def test_a_plan_shows_it(tenant: Tenant) -> None:
    body = asked(tenant, "whatsapp", version={"provider_template": APPROVED})
    planned = tenant.api.send({**body, "dry_run": True}).data
    assert planned["content"]["template"]["parameters"] == ["ADA"]


# --- bulk requests


@pytest.mark.django_db(transaction=True)
def test_a_bulk_request_has_them_for_all(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    body = asked(tenant, "push", template={"push": DELIVERY}, push={"ttl": 5})
    recipients = [{"user_id": body.pop("user_id")}, {"to": "a-token"}]
    answer = tenant.api.post(f"{NOTIFICATIONS}bulk/", {**body, "recipients": recipients})
    assert answer.status == 202, answer.body
    found = NotificationContent.objects.values_list("content", flat=True)
    assert [(each["ttl"], each["collapse_key"]) for each in found] == [(5, "orders")] * 2
