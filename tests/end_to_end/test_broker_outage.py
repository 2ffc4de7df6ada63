"""Intake goes on while RabbitMQ is away, and everything is delivered once it is back."""

import pytest
import requests

from carillon.testing.proxy import TCPProxy
from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]


def unhealthy(answer: requests.Response) -> set[str]:
    """What a health page says is not well."""
    checks = answer.json()["checks"]
    return {name for name, check in checks.items() if check["status"] == "unhealthy"}


def test_notifications_are_accepted_without_rabbitmq_and_delivered_with_it(
    stack: Stack, tenant: Tenant, broker_link: TCPProxy, mailbox: SMTPSink
) -> None:
    tenant.make_template("hello")
    address = f"outage@{tenant.organization_id[-12:]}.example.com"
    user_id = tenant.make_user(email=address)

    broker_link.cut()
    ids = [tenant.accepted("email", user_id, "hello") for _ in range(8)]
    eventually(
        lambda: requests.get(stack.url("gateway", "/health/"), timeout=60),
        lambda answer: answer.status_code == 503 and unhealthy(answer) == {"rabbitmq"},
    )
    eventually(
        lambda: requests.get(stack.url("gateway", "/health/ready/"), timeout=60).status_code,
        lambda status: status == 200,
    )

    broker_link.heal()
    assert {tenant.ended(one)["status"] for one in ids} == {"delivered"}
    assert len(mailbox.wait_for(address, len(ids))) == len(ids)
    eventually(
        lambda: requests.get(stack.url("gateway", "/health/"), timeout=60).status_code,
        lambda status: status == 200,
    )
