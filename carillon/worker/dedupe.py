"""The dedupe ledger: what this attempt's marker in Redis says, and what this process remembers.

One key per `message_id` (`<notification id>:<attempt>`). `started` is written before the provider
is called, `done` with the whole outcome after it, so that a redelivery can tell three cases apart:
never begun, finished (publish the same event again), begun by someone who may be gone (unknown).
The ledger also keeps the last outcomes of its own process, so that a redelivery to the process that
did the work is recognised even while Redis is away or has been emptied.

Every command here may happen twice without harm: a marker carries its owner, and an owner who
finds its own marker knows it.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from carillon.contracts.messages import DeliveryEvent, DeliveryJob, DeviceResult, Outcome
from carillon.errors import Reason
from carillon.worker.redis_link import Command, RedisLink

MARKER_PREFIX = "worker:dedupe:"
PRESENCE_PREFIX = "worker:alive:"
# A process that has not refreshed its presence for so long is taken for dead.
PRESENCE_SECONDS = 15


class Started(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """An owner was about to call the provider; `starts` counts the owners so far.

    Of a job for several devices it was at the first that is not among the `settled`.
    """

    owner: str
    at: float
    starts: int = 1
    settled: tuple[DeviceResult, ...] = ()


class Done(msgspec.Struct, frozen=True, array_like=True, tag="d", kw_only=True):
    """The outcome of an attempt: all that its event needs beyond the job."""

    event_id: str
    outcome: Outcome
    started_at: datetime
    occurred_at: datetime
    duration_ms: float
    provider: str = ""
    provider_message_id: str = ""
    reason: Reason | None = None
    error_code: str = ""
    error_message: str = ""
    retry_after: float | None = None
    possible_duplicate: bool = False
    devices: tuple[DeviceResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A marker that this release cannot read says only that somebody began."""

    raw: bytes
    owner: str = ""
    at: float = 0.0
    starts: int = 1
    settled: tuple[DeviceResult, ...] = ()


Begun = Started | Unreadable
Marker = Begun | Done
Finished = Sequence[tuple[str, Done]]
"""Message ids and their outcomes."""

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Started | Done] = msgspec.msgpack.Decoder(Started | Done)

# Replaces a marker whose owner is gone. Returns {1, ""} where it did; {0, marker} where another
# marker has come meanwhile; {2, ""} where the owner is alive.
_TAKE_OVER = """
local current = redis.call('GET', KEYS[1])
if current and current ~= ARGV[1] then return {0, current} end
if current and redis.call('EXISTS', KEYS[2]) == 1 then return {2, ''} end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return {1, ''}
"""

# Not over the marker of a worker that took us for dead, nor over an outcome.
_PROGRESS = """
local current = redis.call('GET', KEYS[1])
if current then
  local readable, marker = pcall(cmsgpack.unpack, current)
  if not readable or marker[1] ~= 's' or marker[2] ~= ARGV[1] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


# Only where nobody else has come to an end with it meanwhile, or taken it over.
_WITHDRAW = """
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
end
return 1
"""


class OwnerAlive(Exception):
    """The process that began the attempt still runs and may still be at it."""


class DedupeLedger:
    """Reads and writes markers. Each call is one round trip; each may raise RedisUnavailable."""

    def __init__(self, link: RedisLink, *, owner: str, ttl_seconds: int, remembered: int) -> None:
        self.owner = owner
        self._link = link
        self._ttl = ttl_seconds
        self._remembered = remembered
        self._recent: OrderedDict[str, Done] = OrderedDict()
        self._guard = threading.Lock()

    def recall(self, message_id: str) -> Done | None:
        """The outcome, if this process was the one that produced it, lately."""
        return self._recent.get(message_id)

    def remember(self, message_id: str, done: Done) -> None:
        """Keep an outcome for `recall`; the oldest give way."""
        with self._guard:
            self._recent[message_id] = done
            while len(self._recent) > self._remembered:
                self._recent.popitem(last=False)

    def begin(self, message_id: str, at: float) -> Marker | None:
        """Write `started` unless there is a marker: that marker, or None where ours is new."""
        return self.finish_and_begin((), (message_id,), at)[0]

    def finish(self, finished: Finished) -> None:
        """Write each `done`, whatever was there."""
        self._link.run(*(self._done(message_id, done) for message_id, done in finished))

    def finish_and_begin(
        self, finished: Finished, message_ids: Sequence[str], at: float
    ) -> list[Marker | None]:
        """`finish` attempts and then `begin` others, in one round trip: a marker for each begun."""
        replies = self._link.run(
            *(self._done(message_id, done) for message_id, done in finished),
            *self._all_started(message_ids, at),
        )
        return [_marker(reply) for reply in replies[len(finished) :]]

    def withdraw(self, message_ids: Sequence[str], at: float) -> None:
        """These attempts were not begun after all: take back the markers, where they are ours."""
        keys = [MARKER_PREFIX + message_id for message_id in message_ids]
        self._link.evaluate(_WITHDRAW, keys, [_encode(Started(self.owner, at))])

    def progress(
        self, message_id: str, at: float, starts: int, settled: tuple[DeviceResult, ...]
    ) -> bool:
        """Say in our marker which devices are done; False where it is ours no more."""
        ours = _encode(Started(self.owner, at, starts, settled))
        keys = [MARKER_PREFIX + message_id]
        return bool(self._link.evaluate(_PROGRESS, keys, [self.owner, ours, self._ttl]))

    def take_over(
        self, message_id: str, found: Begun, at: float, *, force: bool = False
    ) -> Marker | None:
        """Make a dead owner's attempt ours: None where it is, else the marker that came meanwhile.

        Raises OwnerAlive where the owner's process is still there, unless `force`.
        """
        ours = Started(self.owner, at, found.starts + 1, found.settled)
        expected = found.raw if isinstance(found, Unreadable) else _encode(found)
        presence = PRESENCE_PREFIX + ("" if force else found.owner)
        verdict, current = self._link.evaluate(
            _TAKE_OVER,
            [MARKER_PREFIX + message_id, presence],
            [expected, _encode(ours), self._ttl],
        )
        if verdict == 2:
            raise OwnerAlive(found.owner)
        return None if verdict == 1 else _marker(current)

    def is_present(self, owner: str) -> bool:
        """True where that owner's process has refreshed its presence in time."""
        return bool(self._link.run(("EXISTS", PRESENCE_PREFIX + owner))[0])

    def refresh_presence(self) -> None:
        """Tell the other processes that this one is alive; call well within PRESENCE_SECONDS."""
        self._link.run(("SET", PRESENCE_PREFIX + self.owner, b"1", "EX", PRESENCE_SECONDS))

    def withdraw_presence(self) -> None:
        """Nothing is under way here any more."""
        self._link.run(("DEL", PRESENCE_PREFIX + self.owner))

    def _all_started(self, message_ids: Sequence[str], at: float) -> list[Command]:
        value = _encode(Started(self.owner, at))
        return [
            ("SET", MARKER_PREFIX + message_id, value, "NX", "GET", "EX", self._ttl)
            for message_id in message_ids
        ]

    def _done(self, message_id: str, done: Done) -> Command:
        return ("SET", MARKER_PREFIX + message_id, _encode(done), "EX", self._ttl)


def event_of(job: DeliveryJob, done: Done) -> DeliveryEvent:
    """The event that tells the platform of `done`; the same one however often it is made."""
    return DeliveryEvent(
        event_id=done.event_id,
        notification_id=job.notification_id,
        attempt=job.attempt,
        organization_id=job.organization_id,
        correlation_id=job.correlation_id,
        channel=job.channel,
        outcome=done.outcome,
        provider=done.provider,
        provider_message_id=done.provider_message_id,
        reason=done.reason,
        error_code=done.error_code,
        error_message=done.error_message,
        retry_after=done.retry_after,
        started_at=done.started_at,
        occurred_at=done.occurred_at,
        duration_ms=done.duration_ms,
        possible_duplicate=done.possible_duplicate,
        devices=(*job.settled, *done.devices),
        traceparent=job.traceparent,
    )


def _marker(value: bytes | None) -> Marker | None:
    if value is None:
        return None
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError:
        return Unreadable(value)
