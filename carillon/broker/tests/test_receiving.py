"""What is read here is what pika reads, however the bytes are cut; the rest goes to pika."""

from typing import Any

import pika  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec

from carillon.broker.receiving import CHUNK, LARGEST_BODY, Received, Receiving

TAG = "ctag1.0"
CHANNEL = 3


class Connection:
    """What is used of pika's connection; `passed` is what it would have parsed itself."""

    def __init__(self) -> None:
        self.passed: list[bytes] = []
        self.bytes_received = self.frames_received = 0
        self._frame_buffer = b""
        self._transport = type("Transport", (), {"_MAX_RECV_BYTES": 4096})()

    def _on_data_available(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self.passed.append(data)


def listening() -> tuple[Connection, Receiving, list[Received]]:
    connection, found = Connection(), list[Received]()
    receiving = Receiving(connection)
    receiving.listen(CHANNEL, TAG, found.append)
    return connection, receiving, found


def frames(
    body: bytes,
    *,
    tag: int = 1,
    redelivered: bool = False,
    consumer_tag: str = TAG,
    most: int = 131_000,
    **properties: Any,
) -> bytes:
    """A delivery as RabbitMQ sends it."""
    method = spec.Basic.Deliver(consumer_tag, tag, redelivered, "jobs", "email.normal")
    fields = {"content_type": "application/json", "delivery_mode": 2, **properties}
    pieces = [body[at : at + most] for at in range(0, len(body), most)]
    return b"".join(
        part.marshal()
        for part in (
            frame.Method(CHANNEL, method),
            frame.Header(CHANNEL, len(body), pika.BasicProperties(**fields)),
            *(frame.Body(CHANNEL, piece) for piece in pieces),
        )
    )


deliveries = st.fixed_dictionaries(
    {
        "body": st.binary(max_size=300),
        "tag": st.integers(1, 2**63 - 1),
        "redelivered": st.booleans(),
        "message_id": st.one_of(st.none(), st.text(max_size=60)),
        "headers": st.one_of(
            st.none(),
            st.dictionaries(
                st.text(min_size=1, max_size=20),
                st.one_of(st.text(max_size=80), st.integers(-(2**63), 2**63 - 1)),
                max_size=4,
            ),
        ),
    }
)


@given(st.lists(deliveries, max_size=5), st.data())
def test_deliveries_are_read_however_they_are_cut(
    wanted: list[dict[str, Any]], data: st.DataObject
) -> None:
    connection, receiving, found = listening()
    heartbeat = frame.Heartbeat().marshal()
    stream = heartbeat.join([b"", *(frames(**each) for each in wanted), b""])
    at = 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at), label="cut")
        receiving.feed(stream[at : at + size])
        at += size
    assert [(each.tag, each.redelivered, each.body) for each in found] == [
        (each["tag"], each["redelivered"], each["body"]) for each in wanted
    ]
    assert [each.message_id for each in found] == [each["message_id"] or "" for each in wanted]
    assert [each.headers for each in found] == [each["headers"] or {} for each in wanted]
    assert connection.passed == [heartbeat] * (len(wanted) + 1)
    # By these pika's heartbeat knows that the broker is alive.
    assert connection.bytes_received == len(stream)


def passes_to_pika(stream: bytes) -> None:
    connection, receiving, found = listening()
    for at in range(0, len(stream), 50_000):
        receiving.feed(stream[at : at + 50_000])
    assert found == []
    assert b"".join(connection.passed) == stream


def test_what_is_unusual_goes_to_pika_as_it_came() -> None:
    passes_to_pika(frames(b"x", consumer_tag="another"))
    passes_to_pika(frames(b"x", message_id="m", priority=3))
    passes_to_pika(frames(b"x", headers={"nested": {"a": 1}}))
    passes_to_pika(frames(b"x", headers={"flag": True}))
    passes_to_pika(frames(b"x" * (LARGEST_BODY + 1)))
    passes_to_pika(frames(b"x" * 300, most=100))
    passes_to_pika(frame.Method(CHANNEL, spec.Basic.Ack(7, True)).marshal())


def test_a_frame_without_its_end_goes_to_pika_which_closes_the_connection() -> None:
    stream = frames(b"body")
    passes_to_pika(stream[:-1] + b"\x00")


def test_after_a_cancellation_deliveries_go_to_pika() -> None:
    connection, receiving, found = listening()
    receiving.listen(CHANNEL, TAG, None)
    receiving.feed(frames(b"late"))
    assert found == []
    assert b"".join(connection.passed) == frames(b"late")


def test_what_pika_had_read_in_part_is_not_lost() -> None:
    connection, found = Connection(), list[Received]()
    stream = frames(b"body")
    connection._frame_buffer = stream[:10]
    receiving = Receiving(connection)
    receiving.listen(CHANNEL, TAG, found.append)
    connection._on_data_available(stream[10:])
    assert [each.body for each in found] == [b"body"]
    assert connection._frame_buffer == b""
    assert connection._transport._MAX_RECV_BYTES == CHUNK
