"""What the tests of callbacks share: a gateway that takes those of every provider."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from gateway.callbacks import registry
from gateway.callbacks.providers.sns import SNSVerifier
from gateway.callbacks.services.draining import Drained, drain
from gateway.outbox.database import Connection, connect
from gateway.tests.callbacks.signing import CERTIFICATE_URL, PUBLIC, SETTINGS, Signed, certificate
from gateway.tests.policies import POLICIES

Send = Callable[..., int]
Drain = Callable[..., Drained]


class Amazon:
    """What Amazon's hosts answer, and what was asked of them."""

    def __init__(self) -> None:
        self.answers = {CERTIFICATE_URL: certificate()}
        self.asked: list[str] = []
        self.error: Exception | None = None

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.error:
            raise self.error
        return self.answers.get(url, b"")


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """In place of the network."""
    double = Amazon()
    monkeypatch.setattr(registry, "SNSVerifier", lambda: SNSVerifier(double.fetch))
    registry.callback_providers.cache_clear()
    yield double
    registry.callback_providers.cache_clear()


@pytest.fixture
def send(configure: Any, amazon: Amazon) -> Send:
    """Post a signed callback; answers the status."""
    configure(callbacks=SETTINGS, public_url=PUBLIC)

    def post(signed: Signed, **changes: Any) -> int:
        response = Client().generic(
            "POST",
            changes.get("path", signed.path),
            changes.get("body", signed.body),
            content_type=signed.content_type,
            headers=dict(changes.get("headers", signed.headers)),
        )
        assert response.content == b""
        return response.status_code

    return post


@pytest.fixture
def session(transactional_db: None) -> Iterator[Connection]:
    """As the events process has it."""
    connection = connect("callbacks", idle_in_transaction=30)
    yield connection
    connection.close()


@pytest.fixture
def drained(session: Connection) -> Drain:
    """Apply what is due, as if it were `now`."""

    def act(now: datetime | None = None, **options: Any) -> Drained:
        said = {"now": now or datetime.now(UTC), "wait_seconds": 600.0, **options}
        return drain(session, POLICIES, **said)

    return act
