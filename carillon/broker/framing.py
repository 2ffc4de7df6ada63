"""A publish as the bytes of its AMQP 0-9-1 frames.

pika's `basic_publish` builds several objects per message and hands three buffers to three system
calls. This writes the same bytes (a test compares them) at a quarter of the cost, and lets a whole
chunk of messages leave in one call. Source: the AMQP 0-9-1 specification, sections 4.2.3 to 4.2.6.
"""

from struct import Struct

from carillon.broker.messages import OutgoingMessage, Route

METHOD_FRAME, HEADER_FRAME, BODY_FRAME = 1, 2, 3
FRAME_END = b"\xce"
# What surrounds a frame's payload: type, channel, size, end.
FRAME_OVERHEAD = 8
BASIC_CLASS, PUBLISH_METHOD = 60, 40
MANDATORY = 1
# Bits of the property flags, in the order in which the properties follow.
CONTENT_TYPE, HEADERS, DELIVERY_MODE, MESSAGE_ID = 1 << 15, 1 << 13, 1 << 12, 1 << 7
PERSISTENT = 2

_frame_start = Struct(">BHI").pack
_content_start = Struct(">HHQ").pack
_method_start = Struct(">HHH").pack
_flags = Struct(">H").pack
_size = Struct(">I").pack
_octet = Struct(">B").pack


def _short(text: str) -> bytes:
    data = text.encode()
    return _octet(len(data)) + data


def _header(name: str, text: str) -> bytes:
    data = text.encode()
    return _short(name) + b"S" + _size(len(data)) + data


_JSON = _short("application/json")
_PERSISTENT = _octet(PERSISTENT)
_WITH_HEADERS = _flags(CONTENT_TYPE | HEADERS | DELIVERY_MODE | MESSAGE_ID) + _JSON
_WITHOUT_HEADERS = _flags(CONTENT_TYPE | DELIVERY_MODE | MESSAGE_ID) + _JSON


class Framing:
    """Frames for one AMQP channel; `frame_max` is what was negotiated for its connection."""

    def __init__(self, channel_number: int, frame_max: int) -> None:
        self._channel = channel_number
        self._body_max = frame_max - FRAME_OVERHEAD
        self._methods: dict[Route, bytes] = {}

    def publish(self, message: OutgoingMessage) -> bytes:
        """A persistent, mandatory basic.publish of `message`, which `check_message` has passed."""
        method = self._methods.get(message.route)
        if method is None:
            method = self._methods[message.route] = self._method(message.route)
        body = message.body
        content = _content_start(BASIC_CLASS, 0, len(body)) + _properties(message)
        header = self._frame(HEADER_FRAME, content)
        if len(body) <= self._body_max:
            return method + header + (self._frame(BODY_FRAME, body) if body else b"")
        pieces = (body[at : at + self._body_max] for at in range(0, len(body), self._body_max))
        return method + header + b"".join(self._frame(BODY_FRAME, piece) for piece in pieces)

    def _method(self, route: Route) -> bytes:
        payload = (
            _method_start(BASIC_CLASS, PUBLISH_METHOD, 0)
            + _short(route.exchange)
            + _short(route.routing_key)
            + _octet(MANDATORY)
        )
        return self._frame(METHOD_FRAME, payload)

    def _frame(self, kind: int, payload: bytes) -> bytes:
        return _frame_start(kind, self._channel, len(payload)) + payload + FRAME_END


def _properties(message: OutgoingMessage) -> bytes:
    table = b""
    if message.correlation_id:
        table = _header("x-correlation-id", message.correlation_id)
    if message.traceparent:
        table += _header("traceparent", message.traceparent)
    start = _WITH_HEADERS + _size(len(table)) + table if table else _WITHOUT_HEADERS
    return start + _PERSISTENT + _short(message.message_id)
