"""One HTTP/2 connection that many threads call over at once, each on a stream of its own."""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import Reason, TemporaryFailure
from carillon.worker.providers.http import LONGEST_ANSWER, Answer
from carillon.worker.providers.http2_socket import Channel

# It writes every header into the log: paths with device tokens, authorizations.
logging.getLogger("hpack").setLevel(logging.WARNING)

# Streams are numbered up to 2**31 - 1 (RFC 9113, 5.1.1); far earlier a new connection is due.
_LAST_STREAM = 2**31 - 1_000


class NotSent(Exception):
    """The connection is of no use any more, and the server has not acted upon the call."""


@dataclass(slots=True)
class _Stream:
    """What has come of a call so far."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    sent: bool = False
    ended: bool = False
    # The server says that it did not look at it (RFC 9113, 8.7 and 6.8).
    refused: bool = False
    lost: bool = False


class Connection:
    """Calls over one socket. A thread of its own reads; whoever calls writes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        )
        self._change = threading.Condition()
        self._streams: dict[int, _Stream] = {}
        self._ending = False
        self._heard_at = time.monotonic()
        with self._change:
            self._h2.initiate_connection()
            try:
                self._flush()
            except OSError:
                self._ending = True
        self._reader = threading.Thread(target=self._read, name="http2-reader", daemon=True)
        self._reader.start()

    @property
    def usable(self) -> bool:
        """False once the server has ended it, or asked for its end."""
        return not self._ending

    def call(self, head: list[tuple[str, str]], body: bytes, seconds: float) -> Answer:
        """One request and its answer within `seconds`.

        Raises NotSent, TemporaryFailure or OutcomeUnknown.
        """
        began = time.monotonic()
        deadline = began + seconds
        with self._change:
            number, stream = self._open(head, deadline)
            try:
                self._send(number, stream, body, deadline)
                while not (stream.ended or stream.refused or stream.lost):
                    if not self._wait(deadline):
                        # Not a word to anybody in all that time: the next call takes another.
                        self._ending = self._ending or self._heard_at < began
                        break
            finally:
                self._streams.pop(number, None)
                if not stream.ended:
                    self._reset(number)
                # A stream is free for somebody who waits for one.
                self._change.notify_all()
        return _answer(stream)

    def close(self) -> None:
        """End it; who still waits for an answer gets OutcomeUnknown."""
        with self._change:
            if not self._ending:
                self._ending = True
                with suppress(OSError, h2.exceptions.ProtocolError):
                    self._h2.close_connection()
                    self._flush()
        self._channel.shut_down()
        self._reader.join()

    def _open(self, head: list[tuple[str, str]], deadline: float) -> tuple[int, _Stream]:
        """A stream with its headers on the way, as soon as the server allows another."""
        while not self._ending and self._is_full():
            if not self._wait(deadline):
                raise TemporaryFailure(
                    "The provider allows no more calls at once.", reason=Reason.TIMED_OUT
                )
        if self._ending:
            raise NotSent
        try:
            number = self._h2.get_next_available_stream_id()
            self._ending = number >= _LAST_STREAM
            self._h2.send_headers(number, head)
            stream = self._streams[number] = _Stream()
            self._flush()
        except (OSError, h2.exceptions.ProtocolError):
            self._end()
            raise NotSent from None
        return number, stream

    def _send(self, number: int, stream: _Stream, body: bytes, deadline: float) -> None:
        """Hand the body over as the server's window allows. Raises NotSent or TemporaryFailure."""
        position = 0
        while position < len(body) or not body:
            if stream.ended or stream.refused:
                # Answered before it was all there: a refusal.
                return
            if stream.lost:
                raise NotSent
            room = min(self._window(number), self._h2.max_outbound_frame_size)
            if room <= 0:
                if not self._wait(deadline):
                    raise TemporaryFailure(
                        "The provider did not take the message in time.", reason=Reason.TIMED_OUT
                    )
                continue
            piece = body[position : position + room]
            position += len(piece)
            last = position >= len(body)
            try:
                self._h2.send_data(number, piece, end_stream=last)
            except h2.exceptions.ProtocolError:
                self._end()
                raise NotSent from None
            stream.sent = last
            try:
                self._flush()
            except OSError:
                self._end()
            if last:
                return

    def _window(self, number: int) -> int:
        """Raises NotSent."""
        try:
            return self._h2.local_flow_control_window(number)
        except h2.exceptions.ProtocolError:
            self._end()
            raise NotSent from None

    def _is_full(self) -> bool:
        # `h2` counts those that were reset until it hears of them; the dictionary does not.
        return len(self._streams) >= self._h2.remote_settings.max_concurrent_streams

    def _wait(self, deadline: float) -> bool:
        """Until something changes; False where the time is over."""
        left = deadline - time.monotonic()
        return left > 0 and self._change.wait(left)

    def _reset(self, number: int) -> None:
        """Tell the server that nobody listens any more."""
        with suppress(OSError, h2.exceptions.ProtocolError):
            self._h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
            self._flush()

    def _flush(self) -> None:
        """Raises OSError."""
        data = self._h2.data_to_send()
        if data:
            self._channel.write(data)

    def _end(self) -> None:
        """Nothing more will come: of what is still open nobody knows."""
        self._ending = True
        for stream in self._streams.values():
            stream.lost = True
        self._change.notify_all()

    def _read(self) -> None:
        try:
            while True:
                try:
                    data = self._channel.read()
                except OSError:
                    break
                if not data or not self._receive(data):
                    break
        finally:
            with self._change:
                self._end()
            self._channel.close()

    def _receive(self, data: bytes) -> bool:
        """Take in what has arrived; False where it is the end."""
        with self._change:
            try:
                events = self._h2.receive_data(data)
            except h2.exceptions.ProtocolError:
                return False
            self._heard_at = time.monotonic()
            goes_on = True
            for event in events:
                goes_on = self._heed(event) and goes_on
            try:
                self._flush()
            except OSError:
                return False
            self._change.notify_all()
        return goes_on

    def _heed(self, event: h2.events.Event) -> bool:
        """False where it is the last."""
        if isinstance(event, h2.events.ConnectionTerminated):
            # h2 reads nothing after it: what the server promised to answer still is unknown.
            last = event.last_stream_id or 0
            for number, open_stream in self._streams.items():
                if number > last and not open_stream.ended:
                    open_stream.refused = True
            return False
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, h2.events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        if stream is None:
            return True
        if isinstance(event, h2.events.ResponseReceived):
            pairs = {str(name): str(value) for name, value in event.headers}
            status = pairs.pop(":status", "")
            stream.status = int(status) if status.isascii() and status.isdigit() else 0
            stream.headers = pairs
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data[: LONGEST_ANSWER - len(stream.body)]
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.refused = event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
            stream.lost = not stream.refused
        return True


def _answer(stream: _Stream) -> Answer:
    """A refusal is one by its status, whatever became of its body. Raises as `call` does."""
    if stream.ended or stream.status >= 300:
        return Answer(stream.status, stream.headers, bytes(stream.body))
    if stream.refused or not stream.sent:
        raise NotSent
    code = str(stream.status) if stream.status else ""
    raise OutcomeUnknown("The provider's answer was lost.", code=code)
