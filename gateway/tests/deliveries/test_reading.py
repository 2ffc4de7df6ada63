"""Which bodies are events, and what of them can be stored."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from carillon.contracts import ids
from carillon.contracts.messages import (
    EVENT_VERSION,
    DeliveryEvent,
    Outcome,
    UnreadableMessage,
    encode,
)
from gateway.deliveries.services.reading import read_event

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def event(**fields: Any) -> DeliveryEvent:
    return DeliveryEvent(
        **{
            "event_id": "event_1",
            "notification_id": ids.new_id(ids.NOTIFICATION),
            "attempt": 1,
            "organization_id": ids.new_id(ids.ORGANIZATION),
            "correlation_id": "corr_1",
            "channel": "email",
            "outcome": Outcome.SENT,
            "started_at": NOW,
            "occurred_at": NOW,
            **fields,
        }
    )


def test_an_event_survives() -> None:
    original = event(provider="smtp", error_message="déjà vu", retry_after=1.5)
    read = read_event(encode(original))
    assert read.event == original
    assert ids.format_id(ids.NOTIFICATION, read.notification) == original.notification_id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"version": 1}',
        b"[" * 100_000,
        encode(event()).replace(b'"sent"', b'"teleported"'),
        encode(event()).replace(b'"attempt":1', b'"attempt":"one"'),
        encode(event(version=EVENT_VERSION + 1)),
        encode(event(notification_id="notif_1")),
        encode(event(notification_id=ids.new_id(ids.ORGANIZATION))),
        encode(event(attempt=0)),
        encode(event(attempt=-1)),
        encode(event(attempt=40_000)),
        encode(event(occurred_at=NOW.replace(tzinfo=None))),
        encode(event(started_at=NOW.replace(tzinfo=None))),
    ],
)
def test_what_is_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        read_event(body)


def test_a_provider_says_what_it_likes_and_we_store_what_we_can() -> None:
    body = encode(
        event(
            provider="p" * 100,
            provider_message_id="m" * 1000,
            error_code="c" * 100,
            error_message="nul \x00 here, " + "e" * 5000,
        )
    )
    stored = read_event(body).event
    assert len(stored.provider) == 32
    assert len(stored.provider_message_id) == 255
    assert len(stored.error_code) == 64
    assert len(stored.error_message) == 2000
    assert stored.error_message.startswith("nul  here")
    assert "\x00" not in msgspec.json.encode(stored).decode()
