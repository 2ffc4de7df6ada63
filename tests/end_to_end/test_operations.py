"""What an operator looks at: health, metrics, documents and logs of every process."""

import json
import subprocess

import pytest
import requests

from carillon.testing.smtp_sink import SMTPSink
from deploy.local.processes import PROCESSES
from deploy.local.promtool import promtool
from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

SERVICES = ("gateway", "user_service", "template_service")


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("kind", ["health/", "health/live/", "health/ready/"])
def test_every_process_tells_its_health(stack: Stack, process: str, kind: str) -> None:
    eventually(
        lambda: requests.get(stack.url(process, f"/{kind}"), timeout=60).status_code,
        lambda status: status == 200,
    )


def test_the_gateway_names_every_dependency(stack: Stack) -> None:
    checks = requests.get(stack.url("gateway", "/health/"), timeout=60).json()["checks"]
    assert set(checks) == {"database", "redis", "rabbitmq", "user_service", "template_service"}
    assert all(check["latency_ms"] >= 0 for check in checks.values())


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/", "/api/schema/"])
def test_every_service_documents_itself(stack: Stack, service: str, path: str) -> None:
    assert requests.get(stack.url(service, path), timeout=60).status_code == 200


@pytest.mark.parametrize("process", PROCESSES)
def test_prometheus_has_nothing_against_the_metrics(stack: Stack, process: str) -> None:
    page = requests.get(stack.url(process, "/metrics"), timeout=60).content
    judged = subprocess.run(
        [promtool(), "check", "metrics"], input=page, capture_output=True, timeout=60, check=False
    )
    assert (judged.returncode, judged.stderr.decode()) == (0, "")


def test_metrics_follow_a_notification_through_every_process(stack: Stack, tenant: Tenant) -> None:
    tenant.make_template("hello")
    tenant.ended(tenant.accepted("email", tenant.make_user(), "hello"))

    def scraped(process: str) -> str:
        return requests.get(stack.url(process, "/metrics"), timeout=60).text

    assert 'carillon_http_requests_total{method="POST"' in scraped("gateway")
    assert "carillon_outbox_depth" in scraped("relay")
    assert "queue_to_provider" in scraped("email_worker")
    assert 'provider="smtp"' in scraped("email_worker")
    assert "carillon_" in scraped("events")
    for service in ("user_service", "template_service"):
        assert "carillon_http_request_duration_seconds_bucket" in scraped(service)


def test_one_correlation_id_from_the_request_to_the_mail(
    stack: Stack, tenant: Tenant, mailbox: SMTPSink
) -> None:
    tenant.make_template("hello")
    address = f"traced@{tenant.organization_id[-12:]}.example.com"
    user_id = tenant.make_user(email=address)
    body = {
        "notification_type": "email",
        "user_id": user_id,
        "template_code": "hello",
        "variables": {"name": "Ann"},
    }
    correlation_id = f"trace-{tenant.organization_id[-12:]}"
    answer = tenant.call(
        "POST", "/api/v1/notifications/", body, **{"X-Correlation-ID": correlation_id}
    )
    assert answer.headers["X-Correlation-ID"] == correlation_id
    assert mailbox.wait_for(address)[0]["X-Correlation-ID"] == correlation_id
    services = eventually(
        lambda: {
            line["service"] for line in json_lines(stack.logs())
            if line.get("correlation_id") == correlation_id
        },
        lambda seen: "email_worker" in seen,
    )  # fmt: skip
    assert "gateway" in services


def test_no_address_key_secret_or_variable_reaches_a_log(stack: Stack, tenant: Tenant) -> None:
    canary = f"canary{tenant.organization_id[-12:]}"
    number = "+447700900871"
    tenant.make_template("hello")
    tenant.make_template("text", "sms")
    tenant.make_template("tap", "push")
    user_id = tenant.make_user(
        email=f"{canary}@example.com", phone_number=number, push_token=f"{canary}-token"
    )
    variables = {"name": f"{canary} variable"}
    for channel, code in (("email", "hello"), ("sms", "text"), ("push", "tap")):
        tenant.ended(tenant.accepted(channel, user_id, code, variables=variables))
    tenant.send("email", user_id, "hello", variables={canary: 1})
    tenant.call("GET", f"/api/v1/users/?search={canary}@example.com")
    requests.get(stack.url("gateway", f"/api/v1/notifications/?api_key={tenant.key}"), timeout=60)
    logs = stack.logs()
    assert tenant.organization_id in logs or "request" in logs
    for secret in (canary, number, tenant.key, tenant.test_key, stack.secret):
        assert secret not in logs, f"{secret[:6]}… is in the logs"


def json_lines(text: str) -> list[dict[str, object]]:
    lines = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines
