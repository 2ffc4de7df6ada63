"""What travels over AMQP."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import (
    Address,
    Content,
    DeliveryEvent,
    DeliveryJob,
    DeliveryPolicy,
    EmailContent,
    Mode,
    Outcome,
    PushContent,
    TextContent,
    UnreadableMessage,
    decode_event,
    decode_job,
    encode,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def job(content: Content) -> DeliveryJob:
    return DeliveryJob(
        notification_id="notif_1",
        attempt=2,
        organization_id="org_1",
        correlation_id="corr_1",
        channel="email",
        lane=Lane.HIGH,
        priority=9,
        mode=Mode.LIVE,
        delivery=DeliveryPolicy.AT_MOST_ONCE,
        addresses=(Address("a@example.com"),),
        content=content,
        accepted_at=NOW,
        queued_at=NOW + timedelta(seconds=1),
    )


@pytest.mark.parametrize(
    "content",
    [
        EmailContent(subject="Grüße", body="text", html="<p>html</p>"),
        TextContent(body="hi"),
        PushContent(title="t", data={"k": "v"}, badge=0),
    ],
)
def test_a_job_survives_the_journey(content: Content) -> None:
    sent = job(content)
    assert decode_job(encode(sent)) == sent


def test_the_message_id_names_the_attempt() -> None:
    assert job(TextContent(body="x")).message_id == "notif_1:2"


def test_an_event_survives_the_journey() -> None:
    sent = DeliveryEvent(
        event_id="e",
        notification_id="notif_1",
        attempt=1,
        organization_id="org_1",
        correlation_id="corr_1",
        channel="sms",
        outcome=Outcome.DEFERRED,
        retry_after=3.5,
        started_at=NOW,
        occurred_at=NOW,
        possible_duplicate=True,
    )
    assert decode_event(encode(sent)) == sent


def test_an_older_reader_ignores_what_a_newer_release_of_the_same_version_adds() -> None:
    body = msgspec.json.decode(encode(job(TextContent(body="x"))))
    assert decode_job(msgspec.json.encode({**body, "color": "red"})).attempt == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"{}", b'{"version": 1}', b"[" * 200_000, b"\xff\xfe"],
)
def test_what_is_not_a_message_says_so(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        decode_job(body)
    with pytest.raises(UnreadableMessage):
        decode_event(body)


def test_a_version_from_the_future_is_refused() -> None:
    body = msgspec.json.decode(encode(job(TextContent(body="x"))))
    with pytest.raises(UnreadableMessage, match="version 2"):
        decode_job(msgspec.json.encode({**body, "version": 2}))
