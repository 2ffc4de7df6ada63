"""Deliveries out of the bytes of an AMQP 0-9-1 connection; all other frames are left to pika.

pika builds a dozen objects for each delivery and copies what it has received once a frame: it
takes longer to receive a job than to work on it. This reads the same bytes (a test compares them)
at a tenth of the cost. What is unusual in any way is handed to pika as it came: large bodies,
properties that our publishers do not set, deliveries of a consumer that was not named here.
Source: the AMQP 0-9-1 specification, sections 4.2.3 to 4.2.6.
"""

import struct
from collections.abc import Callable
from struct import Struct
from typing import Any

import msgspec

from carillon.broker.framing import (
    BASIC_CLASS,
    BODY_FRAME,
    CONTENT_TYPE,
    DELIVERY_MODE,
    FRAME_END,
    FRAME_OVERHEAD,
    HEADER_FRAME,
    HEADERS,
    MESSAGE_ID,
    METHOD_FRAME,
)

DELIVER_METHOD = 60
# Larger ones are rare, and are not worth holding back what follows them.
LARGEST_BODY = 64 * 1024
# What is taken from the socket at once; pika takes 4 KB, which is two or three jobs.
CHUNK = 64 * 1024

_frame_start = Struct(">BHI").unpack_from
_START = 7
_method_ids = Struct(">HH").unpack_from
_content_start = Struct(">HHQH").unpack_from
_CONTENT_START = 14
_tag_and_again = Struct(">QB").unpack_from
_size = Struct(">I").unpack_from
_INTEGERS = {ord("l"): Struct(">q"), ord("L"): Struct(">q"), ord("I"): Struct(">i")}
_END = FRAME_END[0]
_KNOWN = CONTENT_TYPE | HEADERS | DELIVERY_MODE | MESSAGE_ID


class Received(msgspec.Struct, frozen=True):
    """A delivery as it came."""

    tag: int
    redelivered: bool
    headers: dict[str, Any]
    message_id: str
    body: bytes


Handler = Callable[[Received], None]


class _Unusual(Exception):
    """Bytes that pika is to read."""


class Receiving:
    """Stands between the socket of one pika connection and its parser. Lives on the I/O thread."""

    def __init__(self, connection: Any) -> None:
        """From here on what `connection` receives goes through this object."""
        self._connection = connection
        # pika offers no public way to see frames before it has parsed them.
        self._to_pika: Callable[[bytes], None] = connection._on_data_available
        self._rest: bytes = connection._frame_buffer
        self._handlers: dict[tuple[int, bytes], Handler] = {}
        connection._frame_buffer = b""
        connection._on_data_available = self.feed
        connection._transport._MAX_RECV_BYTES = CHUNK

    def listen(self, channel_number: int, consumer_tag: str, handler: Handler | None) -> None:
        """Deliveries of this consumer go to `handler`.

        Without one they go to pika, which gives back what still comes after a cancellation.
        """
        key = channel_number, consumer_tag.encode()
        if handler is None:
            self._handlers.pop(key, None)
        else:
            self._handlers[key] = handler

    def feed(self, data: bytes) -> None:
        """Take what the socket gave."""
        buffer = self._rest + data if self._rest else data
        self._rest = b""
        at, size = 0, len(buffer)
        while size - at >= FRAME_OVERHEAD:
            kind, channel_number, length = _frame_start(buffer, at)
            end = at + FRAME_OVERHEAD + length
            if end > size:
                break
            handler = None
            if kind == METHOD_FRAME:
                handler = self._handler_for(buffer, at + _START, channel_number)
            if handler is not None:
                try:
                    found = _delivery(buffer, at, end, channel_number)
                except (_Unusual, UnicodeDecodeError, KeyError, IndexError, struct.error):
                    handler = None
                else:
                    if found is None:
                        break
                    received, after = found
                    self._connection.bytes_received += after - at
                    self._connection.frames_received += 3 if received.body else 2
                    at = after
                    handler(received)
                    continue
            self._to_pika(buffer[at:end])
            at = end
        self._rest = buffer[at:] if at else buffer

    def _handler_for(self, buffer: bytes, at: int, channel_number: int) -> Handler | None:
        if _method_ids(buffer, at) != (BASIC_CLASS, DELIVER_METHOD):
            return None
        length = buffer[at + 4]
        return self._handlers.get((channel_number, buffer[at + 5 : at + 5 + length]))


def _delivery(
    buffer: bytes, at: int, method_end: int, channel_number: int
) -> tuple[Received, int] | None:
    """The delivery whose method frame begins at `at`, and where it ends; None: not yet all there.

    Raises _Unusual, and what decoding raises.
    """
    size = len(buffer)
    if size < method_end + _START:
        return None
    kind, channel, length = _frame_start(buffer, method_end)
    header_end = method_end + FRAME_OVERHEAD + length
    if kind != HEADER_FRAME or channel != channel_number or length < _CONTENT_START:
        raise _Unusual
    if size < header_end:
        return None
    class_id, _weight, body_size, flags = _content_start(buffer, method_end + _START)
    if class_id != BASIC_CLASS or body_size > LARGEST_BODY or flags & ~_KNOWN:
        raise _Unusual
    body, end = b"", header_end
    if body_size:
        if size < header_end + _START:
            return None
        kind, channel, length = _frame_start(buffer, header_end)
        if kind != BODY_FRAME or channel != channel_number or length != body_size:
            raise _Unusual
        start = header_end + _START
        end = start + length + 1
        if size < end:
            return None
        body = buffer[start : end - 1]
    if buffer[method_end - 1] != _END or buffer[header_end - 1] != _END or buffer[end - 1] != _END:
        raise _Unusual
    tag_at = at + _START + 5 + buffer[at + _START + 4]
    tag, again = _tag_and_again(buffer, tag_at)
    headers, message_id = _properties(buffer, method_end + _START + _CONTENT_START, flags)
    return Received(tag, bool(again & 1), headers, message_id, body), end


def _properties(buffer: bytes, at: int, flags: int) -> tuple[dict[str, Any], str]:
    headers: dict[str, Any] = {}
    if flags & CONTENT_TYPE:
        at += 1 + buffer[at]
    if flags & HEADERS:
        length = _size(buffer, at)[0]
        at += 4
        headers = _table(buffer, at, at + length)
        at += length
    if flags & DELIVERY_MODE:
        at += 1
    if not flags & MESSAGE_ID:
        return headers, ""
    return headers, buffer[at + 1 : at + 1 + buffer[at]].decode()


def _table(buffer: bytes, at: int, end: int) -> dict[str, Any]:
    """Strings and integers; anything else is unusual."""
    table: dict[str, Any] = {}
    while at < end:
        name_end = at + 1 + buffer[at]
        name = buffer[at + 1 : name_end].decode()
        kind = buffer[name_end]
        at = name_end + 1
        if kind == 0x53:  # S
            length = _size(buffer, at)[0]
            at += 4
            table[name] = buffer[at : at + length].decode()
            at += length
        else:
            integer = _INTEGERS[kind]
            table[name] = integer.unpack_from(buffer, at)[0]
            at += integer.size
    return table
