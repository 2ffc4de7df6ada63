"""What a request decides of its fallback: the address, another template; test keys, bulk."""

from typing import Any

import pytest

from carillon.contracts.messages import Outcome
from carillon.errors import Reason
from gateway.notifications.models import Notification
from gateway.tests.calls import NOTIFICATIONS
from gateway.tests.fallbacks.conftest import ASKED, RULE, Shop, text
from gateway.tests.records import make_version

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def test_an_address_goes_along_where_the_other_channel_reaches_it(shop: Shop) -> None:
    parent = shop.missed(user_id="", to="+447700900555")
    shop.work()
    child = Notification.objects.exclude(pk=parent.pk).get()
    assert child.content.addresses == [{"value": "+447700900555"}]
    assert shop.fallback(parent)["status"] == "sent"


def test_an_email_address_is_nobodys_number(shop: Shop) -> None:
    shop.template(
        "by_email",
        type="email",
        languages={
            "en": text(
                "x {{ name }}",
            )
        },
        fallback=RULE,
    )
    parent = shop.missed(
        notification_type="email", template_code="by_email", user_id="", to="ada@example.com"
    )
    shop.work()
    assert shop.fallback(parent)["reason"] == "no_address"


def test_a_request_may_name_the_other_address(shop: Shop) -> None:
    shop.template("by_email", type="email", languages={"en": text("x {{ name }}")}, fallback=RULE)
    parent = shop.missed(
        notification_type="email",
        template_code="by_email",
        user_id="",
        to="ada@example.com",
        fallback={"channel": "sms", "template_code": "order_sms", "to": "+44 7700 900557"},
    )
    shop.work()
    child = Notification.objects.exclude(pk=parent.pk).get()
    assert child.content.addresses == [{"value": "+447700900557"}]


def test_a_request_may_name_another_template_or_the_first(shop: Shop) -> None:
    shop.template("mail", type="email", languages={"en": make_version()}, fallback=None, revision=2)
    other = {"channel": "email", "template_code": "mail"}
    parent = shop.missed(fallback=other)
    shop.template(fallback=None, revision=2)
    plain = shop.missed(fallback=other)
    shop.work()
    found = Notification.objects.exclude(pk__in=[parent.pk, plain.pk])
    assert {(child.channel, child.template_code) for child in found} == {("email", "mail")}
    assert found.count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"fallback": {"channel": "whatsapp", "template_code": "x"}}, "fallback.channel"),
        ({"fallback": {"channel": "pigeon", "template_code": "x"}}, "fallback.channel"),
        ({"fallback": {"channel": "sms", "template_code": ""}}, "fallback"),
        ({"fallback": {"channel": "sms"}}, "fallback"),
        ({"fallback": "sms"}, "fallback"),
        (
            {"fallback": {"channel": "sms", "template_code": "x", "to": "+447700900557"}},
            "fallback.to",
        ),
        (
            {
                "user_id": "",
                "to": "+447700900123",
                "fallback": {"channel": "email", "template_code": "x", "to": "nobody"},
            },
            "fallback.to",
        ),
        (
            {
                "user_id": "",
                "to": "+447700900123",
                "fallback": {"channel": "push", "template_code": "x", "to": "token"},
            },
            "fallback.to",
        ),
        (
            {
                "template_code": "",
                "variables": {},
                "content": {"body": "Hi"},
                "fallback": {"channel": "sms", "template_code": "x"},
            },
            "fallback",
        ),
    ],
)
def test_what_could_be_no_fallback_is_refused(
    fields: dict[str, Any], field: str, shop: Shop
) -> None:
    answer = shop.ask(**fields)
    assert answer.status == 400, answer.body
    assert any(name.startswith(field) for name in answer.details), answer.details


def test_a_test_key_falls_back_into_the_sandbox(shop: Shop) -> None:
    answer = shop.tenant.test_api.send({**ASKED, "user_id": shop.user.user_id})
    parent = Notification.objects.get(pk=answer.data["notification_id"])
    shop.told(parent, Outcome.BOUNCED, reason=Reason.BOUNCED)
    shop.watch()
    shop.work()
    assert Notification.objects.exclude(pk=parent.pk).get().mode == "test"


def test_a_bulk_request_promises_it_to_each(shop: Shop) -> None:
    recipients = [
        {"user_id": shop.user.user_id, "variables": {"name": "Ada"}},
        {"to": "+447700900556", "variables": {"name": "Bob"}},
    ]
    asked = {**ASKED, "recipients": recipients}
    answer = shop.tenant.api.post(f"{NOTIFICATIONS}bulk/", asked)
    assert answer.status == 202, answer.body
    parents = list(Notification.objects.order_by("pk"))
    for parent in parents:
        shop.told(parent, Outcome.BOUNCED, reason=Reason.INVALID_ADDRESS)
    shop.watch()
    shop.work()
    children = Notification.objects.filter(channel="sms").order_by("pk")
    assert {child.content.content["body"] for child in children} == {
        "Hi Ada by SMS",
        "Hi Bob by SMS",
    }
    # They wait where the campaign did, and its progress does not count them.
    assert {(child.lane, child.batch_id) for child in children} == {("bulk", None)}
