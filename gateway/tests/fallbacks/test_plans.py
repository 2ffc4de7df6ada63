"""A dry run tells of the fallback, and an organization of whom it lets stand in."""

from typing import Any

import msgspec
import pytest

from gateway.fallbacks.models import Fallback
from gateway.notifications.models import Notification
from gateway.tests.fallbacks.conftest import Shop, text
from gateway.tests.fallbacks.test_sending import opted_out

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def planned(shop: Shop, **fields: Any) -> dict[str, Any]:
    answer = shop.ask(dry_run=True, **fields)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.data["fallback"]
    return found


def test_a_plan_shows_what_would_follow(shop: Shop) -> None:
    assert planned(shop) == {
        "channel": "sms",
        "template_code": "order_sms",
        "after_seconds": 60,
        "status": "accepted",
        "reason": None,
        "refusals": [],
        "recipients": ["+44***23"],
        "content": {"kind": "text", "body": "Hi Ada by SMS"},
        "providers": ["console"],
    }
    assert not Notification.objects.exists()
    assert not Fallback.objects.exists()


def test_without_a_receipt_to_wait_for_only_a_failure_leads_there(shop: Shop) -> None:
    shop.template(expect_receipt_within=0, revision=2)
    assert planned(shop)["after_seconds"] is None


def test_a_plan_says_why_it_could_not_be_sent(shop: Shop) -> None:
    opted_out(shop)
    found = planned(shop)
    assert (found["status"], found["reason"]) == ("rejected", "user_opted_out")
    shop.tenant.templates.records.pop((shop.tenant.id, "order_sms"))
    shop.tenant.templates._cache.write_absence(shop.tenant.id, ["order_sms"], 9)
    found = planned(shop)
    assert (found["status"], found["reason"]) == ("refused", "template_not_found")


def test_an_address_of_another_kind_is_none(shop: Shop) -> None:
    found = planned(shop, user_id="", to="+447700900555")
    assert (found["status"], found["recipients"]) == ("accepted", ["+44***55"])
    rule = msgspec.structs.replace(
        shop.tenant.templates.records[shop.tenant.id, "order_whatsapp"].fallback,  # type: ignore[union-attr,type-var]
        channel="email",
    )
    shop.template(fallback=rule, revision=2)
    found = planned(shop, user_id="", to="+447700900555")
    assert (found["status"], found["reason"]) == ("refused", "no_address")


def test_a_plan_goes_by_the_requests_word(shop: Shop) -> None:
    shop.template("mail", type="email", languages={"en": text("x {{ name }}")}, fallback=None)
    asked = {"channel": "email", "template_code": "mail", "to": "ada@example.com"}
    found = planned(shop, user_id="", to="+447700900555", fallback=asked)
    assert (found["channel"], found["recipients"]) == ("email", ["ad***@example.com"])


def test_a_template_without_one_plans_none(shop: Shop) -> None:
    shop.template(fallback=None, revision=2)
    answer = shop.ask(dry_run=True)
    assert answer.data["fallback"] is None
