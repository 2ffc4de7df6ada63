"""One notification is one trace, from the client's request to the delivery event."""

import secrets

import pytest

from carillon.testing.smtp_sink import SMTPSink
from tests.end_to_end.collector import Collector, Recorded
from tests.end_to_end.stack import Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

# Who takes part, and who calls whom: of a new organization nothing is cached.
LINKS = {
    ("client", "gateway"),
    ("gateway", "user_service"),
    ("gateway", "relay"),
    ("relay", "email_worker"),
    ("email_worker", "events"),
}


def links(spans: list[Recorded], client: str) -> set[tuple[str, str]]:
    """Which process's span is a child of which other's."""
    services = {span.span_id: span.service for span in spans} | {client: "client"}
    pairs = {(services.get(span.parent_id, "nobody"), span.service) for span in spans}
    return {(parent, child) for parent, child in pairs if parent != child}


def test_one_notification_is_one_trace(
    tenant: Tenant, collector: Collector, mailbox: SMTPSink
) -> None:
    address = f"traced@{tenant.organization_id[-12:]}.example.com"
    user_id = tenant.make_user(email=address)
    tenant.make_template("traced")
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    body = {
        "notification_type": "email",
        "user_id": user_id,
        "template_code": "traced",
        "variables": {"name": "Canary-Of-A-Variable"},
    }
    answer = tenant.call(
        "POST",
        "/api/v1/notifications/",
        body,
        traceparent=f"00-{trace_id}-{span_id}-01",
    )
    assert answer.status_code == 202, answer.text
    tenant.ended(answer.json()["data"]["notification_id"])
    assert mailbox.wait_for(address, 1)

    # The template may be cached already. A child may come before its parent.
    spans = eventually(
        lambda: collector.trace(trace_id),
        lambda found: LINKS <= links(found, span_id) <= LINKS | {("gateway", "template_service")},
    )
    names = {span.name for span in spans}
    assert {
        "POST api/v1/notifications/",
        "create email",
        "process email",
        "send smtp",
        "apply event",
    } <= names
    told = repr(spans)
    assert address not in told
    assert "Canary-Of-A-Variable" not in told
    assert tenant.key not in told


def test_what_the_client_does_not_want_kept_is_not_kept(
    tenant: Tenant, collector: Collector
) -> None:
    tenant.make_template("untraced")
    trace_id = secrets.token_hex(16)
    traceparent = f"00-{trace_id}-{secrets.token_hex(8)}-00"
    user_id = tenant.make_user()
    body = {"notification_type": "email", "user_id": user_id, "template_code": "untraced",
            "variables": {"name": "Ada"}}  # fmt: skip
    answer = tenant.call("POST", "/api/v1/notifications/", body, traceparent=traceparent)
    tenant.ended(answer.json()["data"]["notification_id"])
    kept = secrets.token_hex(16)
    # A later trace that is kept has arrived: an earlier one would have, too.
    tenant.call(
        "GET", "/api/v1/organizations/me/", traceparent=f"00-{kept}-{secrets.token_hex(8)}-01"
    )
    eventually(lambda: collector.trace(kept), bool)
    assert collector.trace(trace_id) == []
