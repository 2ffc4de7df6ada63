"""From a channel on which nothing arrives to one on which it does, over the whole platform."""

import pytest

from tests.end_to_end.providers import DEAD, World

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

CONTENT_SID = "HX0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module", autouse=True)
def order_sms(world: World) -> None:
    """What they fall back on."""
    world.tenant.make_template("order_sms", "sms", content="Hi {{ name }} by SMS")


def test_what_gets_no_receipt_arrives_on_the_other_channel_once(world: World) -> None:
    tenant, number = world.tenant, "+447700900741"
    tenant.make_template(
        "order_whatsapp",
        "whatsapp",
        content="Hi {{ name }} on WhatsApp",
        provider_template={"name": CONTENT_SID, "parameters": ["{{ name|upper }}"]},
        expect_receipt_within=1,
        fallback={"channel": "sms", "template_code": "order_sms"},
    )
    user = tenant.make_user(phone_number=number)
    planned = tenant.send("whatsapp", user, "order_whatsapp", dry_run=True).json()["data"]
    assert planned["fallback"]["content"]["body"] == "Hi Comprehensive Test Recipient by SMS"
    assert (planned["fallback"]["after_seconds"], planned["fallback"]["status"]) == (1, "accepted")
    sent = tenant.accepted("whatsapp", user, "order_whatsapp")
    seen = world.fallen_back(sent)
    # Another look at what is due, and another receipt-less second, bring nothing more.
    again = tenant.accepted("whatsapp", user, "order_whatsapp")
    world.fallen_back(again)
    first, by_sms, *_ = world.texts(number)
    assert first["To"] == f"whatsapp:{number}"
    assert (first["ContentSid"], first["ContentVariables"]) == (
        CONTENT_SID,
        '{"1":"COMPREHENSIVE TEST RECIPIENT"}',
    )
    assert (by_sms["To"], by_sms["Body"]) == (number, "Hi Comprehensive Test Recipient by SMS")
    assert len(world.texts(number)) == 4
    assert (seen["status"], seen["provider"], len(seen["attempts"])) == ("sent", "twilio", 1)
    assert seen["fallback"]["cause"] == "no_receipt"
    child = world.detail(seen["fallback"]["notification_id"])
    assert (child["notification_type"], child["fallback_of"]) == ("sms", sent)


def test_a_push_to_dead_devices_alone_becomes_an_sms(world: World) -> None:
    tenant, number = world.tenant, "+447700900742"
    tenant.make_template(
        "order_push",
        "push",
        push={"collapse_key": "orders", "ttl": 600, "priority": "high"},
        fallback={"channel": "sms", "template_code": "order_sms"},
    )
    dead = tenant.make_user(phone_number=number, push_token=DEAD)
    seen = world.fallen_back(tenant.accepted("push", dead, "order_push"))
    assert (seen["status"], seen["reason"]) == ("failed", "dead_token")
    assert seen["fallback"]["cause"] == "dead_token"
    assert [text["To"] for text in world.texts(number)] == [number]

    alive = tenant.make_user()
    options = {"ttl": 60, "badge": 3, "data": {"order": "A-17"}}
    sent = tenant.accepted("push", alive, "order_push", push=options)
    assert tenant.ended(sent)["status"] == "delivered"
    message = world.google.requests[-1].json["message"]
    assert message["android"] == {
        "priority": "HIGH",
        "collapse_key": "orders",
        "ttl": "60s",
        "notification": {"notification_count": 3},
    }
    assert message["data"] == {"order": "A-17"}
    assert world.detail(sent)["fallback"] is None
