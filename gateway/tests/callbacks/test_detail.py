"""What a client sees of what was reported."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.services.inbox import keep_events
from gateway.deliveries.services.events import apply_events
from gateway.outbox.database import Connection
from gateway.tests.callbacks.conftest import Drain
from gateway.tests.calls import NOTIFICATIONS
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import make_event, make_notification
from gateway.tests.policies import POLICIES

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def reported(tenant: Tenant, session: Connection, drained: Drain, *kinds: Kind) -> Any:
    notification = make_notification(tenant.organization, status=Status.QUEUED)
    accepted = make_event(
        notification, Outcome.SENT, provider="sendgrid", provider_message_id="sg-1"
    )
    apply_events(session, [read(accepted)], POLICIES)
    events = [
        ProviderEvent(provider="sendgrid", provider_message_id="sg-1", kind=kind) for kind in kinds
    ]
    keep_events(events, at=datetime.now(UTC))
    drained()
    return tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/").data


def test_engagement_stands_beside_the_status(
    committed_tenant: Tenant, session: Connection, drained: Drain
) -> None:
    data = reported(committed_tenant, session, drained, Kind.OPENED, Kind.DELIVERED)
    assert data["status"] == "delivered"
    assert data["engagement"]["opened"]["count"] == 1
    assert set(data["engagement"]) == {"opened"}


@pytest.mark.parametrize("kind", [Kind.DELIVERED, Kind.BOUNCED])
def test_the_timeline_tells_acceptance_from_the_report(
    kind: Kind, committed_tenant: Tenant, session: Connection, drained: Drain
) -> None:
    data = reported(committed_tenant, session, drained, kind)
    moments = [(m["status"], m.get("attempt")) for m in data["timeline"]]
    assert moments[-2:] == [("sent", 1), (kind.value, 1)]
    assert data["timeline"][-2]["at"] < data["timeline"][-1]["at"]
    assert data["engagement"] == {}
