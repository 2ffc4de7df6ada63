"""Every channel, live and with a test key."""

import pytest

from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]


@pytest.mark.parametrize("channel", ["sms", "push", "whatsapp"])
def test_a_channel_delivers(tenant: Tenant, channel: str) -> None:
    tenant.make_template("hello", channel)
    notification_id = tenant.accepted(channel, tenant.make_user(), "hello")
    assert tenant.ended(notification_id)["status"] == "delivered"


@pytest.mark.parametrize(
    ("recipient", "status"),
    [
        ("someone@example.com", "delivered"),
        ("perm-fail@simulator.carillon.test", "failed"),
        ("bounce@simulator.carillon.test", "bounced"),
    ],
)
def test_a_test_key_goes_the_whole_way_to_the_simulator(
    tenant: Tenant, recipient: str, status: str
) -> None:
    tenant.make_template("hello")
    user_id = tenant.make_user(email=recipient)
    notification_id = tenant.accepted("email", user_id, "hello", key=tenant.test_key)
    ended = tenant.ended(notification_id)
    assert ended["status"] == status
    assert bool(ended.get("error_message")) is (status != "delivered")


def test_a_temporary_failure_is_retried_later(tenant: Tenant) -> None:
    tenant.make_template("hello")
    user_id = tenant.make_user(email="temp-fail@simulator.carillon.test")
    notification_id = tenant.accepted("email", user_id, "hello", key=tenant.test_key)
    eventually(lambda: tenant.status(notification_id), lambda seen: seen["status"] == "retrying")


def test_a_language_is_chosen_by_request_then_user_then_default(
    stack: Stack, tenant: Tenant
) -> None:
    tenant.make_template("hello", "sms", content="Hello {{ name }}")
    user_id = tenant.make_user(language="pt-BR")
    notification_id = tenant.accepted("sms", user_id, "hello")
    detail = tenant.call("GET", f"/api/v1/notifications/{notification_id}/").json()["data"]
    assert detail["language"] == "en"
    assert detail["template_version"] == 1
