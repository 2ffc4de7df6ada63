"""What the gateway gives up on after seconds, a test waits for a minute: see the shared `patient`.

A test that is about giving up has its own bound.
"""

from collections.abc import Iterator

import pytest
import requests

from carillon.clients import http
from carillon.clients.http import InternalHTTP
from carillon.doctor import rabbitmq_checks
from carillon.observability.health import HealthChecks
from gateway import doctor, health
from gateway.batches import turns
from gateway.notifications.services import locking

SECONDS = 60.0
# Less than PostgreSQL has for a statement.
LOCK_MS = 50_000


@pytest.fixture(scope="session", autouse=True)
def patient_gateway() -> Iterator[None]:
    """Services, locks, turns of bulk requests, and whom health and doctor ask take their time."""
    send = InternalHTTP._send
    of_health = HealthChecks.__init__.__kwdefaults__
    assert of_health is not None

    def send_patiently(
        self: InternalHTTP, request: requests.PreparedRequest, _timeout: float
    ) -> requests.Response:
        return send(self, request, SECONDS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "CONNECT_SECONDS", SECONDS)
        patch.setattr(http, "CHECK_SECONDS", SECONDS)
        patch.setattr(InternalHTTP, "_send", send_patiently)
        patch.setattr(locking, "LOCK_WAIT_MS", LOCK_MS)
        patch.setattr(turns, "WAIT_SECONDS", SECONDS)
        patch.setitem(of_health, "timeout", SECONDS)
        patch.setattr(health, "BROKER_SECONDS", SECONDS)
        patch.setattr(doctor, "SECONDS", SECONDS)
        patch.setattr(rabbitmq_checks, "SECONDS", SECONDS)
        yield
