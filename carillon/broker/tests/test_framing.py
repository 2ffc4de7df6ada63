"""Our frames are pika's frames, byte for byte."""

import pika  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec

from carillon.broker.framing import Framing
from carillon.broker.messages import OutgoingMessage, Route

FRAME_MAX = 4096

short_text = st.text(st.characters(codec="utf-8"), max_size=60)


def frames_of_pika(message: OutgoingMessage, channel_number: int) -> bytes:
    headers = {
        name: value
        for name, value in (
            ("x-correlation-id", message.correlation_id),
            ("traceparent", message.traceparent),
        )
        if value
    }
    properties = pika.BasicProperties(
        content_type="application/json",
        delivery_mode=2,
        message_id=message.message_id,
        headers=headers or None,
    )
    method = spec.Basic.Publish(
        exchange=message.route.exchange, routing_key=message.route.routing_key, mandatory=True
    )
    most = FRAME_MAX - 8
    pieces = [message.body[at : at + most] for at in range(0, len(message.body), most)]
    return b"".join(
        part.marshal()
        for part in (
            frame.Method(channel_number, method),
            frame.Header(channel_number, len(message.body), properties),
            *(frame.Body(channel_number, piece) for piece in pieces),
        )
    )


@given(
    exchange=short_text,
    routing_key=short_text,
    message_id=short_text,
    correlation_id=short_text,
    traceparent=short_text,
    size=st.one_of(st.integers(0, 20), st.sampled_from([4087, 4088, 4089, 8176, 8177, 20_000])),
    channel_number=st.integers(1, 65_535),
)
def test_a_publish_is_encoded_as_pika_encodes_it(
    exchange: str,
    routing_key: str,
    message_id: str,
    correlation_id: str,
    traceparent: str,
    size: int,
    channel_number: int,
) -> None:
    message = OutgoingMessage(
        route=Route(exchange, routing_key),
        body=bytes(index % 251 for index in range(size)),
        message_id=message_id,
        correlation_id=correlation_id,
        traceparent=traceparent,
    )
    framing = Framing(channel_number, FRAME_MAX)
    expected = frames_of_pika(message, channel_number)
    assert framing.publish(message) == expected
    # The route's frame is remembered: the second time must not differ.
    assert framing.publish(message) == expected
