"""Whether a job may be sent: what its marker says, weighed by the template's delivery policy.

`message_id` names one attempt. Its marker, and what follows:

| marker | at_least_once | at_most_once |
|---|---|---|
| none | send | send |
| done | publish that outcome again, do not send | the same |
| started, its owner's process is alive | wait for the owner | the same |
| started, its owner is gone | send, flagged possible_duplicate | failed, outcome_unknown |
| started, the second owner to go | send alone, flagged | failed, outcome_unknown |
| started, the third owner to go | failed, put aside as poison | failed, outcome_unknown |
| Redis is away, first delivery | send unmarked | wait for Redis |
| Redis is away, redelivered | wait up to a minute, then send, flagged | wait for Redis |

The marker of a job for several devices says which of them its owner was done with: whoever takes
it over sends to the others alone. At most one device was being called, so that one crash doubles
one device at most; where nothing is sent any more, the outcome is that of the devices it names.

An owner counts as gone when its process stopped refreshing its presence, or when it is alive but
has been at the attempt for longer than any provider call may take. A job that is sent unmarked and
lost with its worker comes back as redelivered: that is why the flag suffices there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from carillon.contracts.messages import DeliveryPolicy, DeviceResult, Outcome
from carillon.errors import Reason
from carillon.worker.dedupe import Begun, DedupeLedger, Done, Marker, OwnerAlive
from carillon.worker.devices import interrupted
from carillon.worker.hands import Hand
from carillon.worker.outcomes import undelivered, utc_now

# How often one attempt may be begun. Each start but the last ended with its process: the job kills.
MOST_STARTS = 3
# How long a redelivered job waits for Redis before it is sent flagged.
PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Send:
    """Call the provider, for the devices that are not `settled`; `starts` is our marker's."""

    possible_duplicate: bool = False
    unmarked: bool = False
    starts: int = 1
    settled: tuple[DeviceResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """Do not call the provider: this is the outcome. `found` names where it was known from."""

    done: Done
    found: str = ""
    poison: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many seconds; `cause` says what for."""

    seconds: float
    cause: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """Decide again when the job is alone: it was there each time that a worker died."""


Admitted = Send | Settle | Wait | Suspect


class _NotAlone(Exception):
    """A suspect is taken over only when no other call is under way."""


class Admission:
    """Decides over jobs; for any thread."""

    def __init__(
        self,
        ledger: DedupeLedger,
        *,
        longest_call: float,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`longest_call`: seconds after which even a living owner is not waited for."""
        self._ledger = ledger
        self._longest_call = longest_call
        self._now = now
        self._clock = clock

    def decide(self, hand: Hand, found: Marker | None) -> Admitted:
        """What to do with a job whose marker was `found` (None: it is ours now).

        Raises RedisUnavailable.
        """
        # Bounded: each turn means that another worker wrote the marker in between.
        for _ in range(MOST_STARTS):
            if found is None:
                return self._first_send(hand)
            if isinstance(found, Done):
                return Settle(found, found="done")
            if self._is_ours(hand, found):
                # Its answer was lost, or the job has waited since.
                earlier = found.starts - 1
                if earlier:
                    return self._after_takeover(hand, earlier, found.settled)
                return self._first_send(hand)
            try:
                current = self._take_over(hand, found)
            except OwnerAlive:
                return Wait(LOOK_AGAIN_SECONDS, "owner")
            except _NotAlone:
                return Suspect()
            if current is None:
                return self._after_takeover(hand, found.starts, found.settled)
            found = current
        return Wait(LOOK_AGAIN_SECONDS, "owner")

    def without_redis(self, hand: Hand) -> Admitted:
        """What to do with a job while its marker can be neither read nor written."""
        if not hand.redelivered and (unsendable := self._unsendable(hand)) is not None:
            return Settle(unsendable)
        if hand.job.delivery is DeliveryPolicy.AT_MOST_ONCE:
            return Wait(LOOK_AGAIN_SECONDS, "redis")
        if not hand.redelivered:
            return Send(unmarked=True)
        now = self._clock()
        hand.without_redis_since = hand.without_redis_since or now
        if now - hand.without_redis_since < PATIENCE_SECONDS:
            return Wait(LOOK_AGAIN_SECONDS, "redis")
        if self._unsendable(hand) is not None:
            return Settle(self._unknown("It came back and expired while Redis was away."))
        return Send(possible_duplicate=True, unmarked=True)

    def _is_ours(self, hand: Hand, found: Begun) -> bool:
        return found.owner == self._ledger.owner and found.at == hand.begun_at

    def _take_over(self, hand: Hand, found: Begun) -> Marker | None:
        force = self._owner_is_past(found)
        if found.starts == MOST_STARTS - 1 and not hand.alone:
            # Before the marker is ours, lest another job's crash counts against this one.
            if not force and self._ledger.is_present(found.owner):
                raise OwnerAlive(found.owner)
            raise _NotAlone
        return self._ledger.take_over(hand.message_id, found, hand.begun_at, force=force)

    def _owner_is_past(self, found: Begun) -> bool:
        """Our own process would know of an attempt under way; any other had time enough."""
        if found.owner == self._ledger.owner:
            return True
        return self._now().timestamp() - found.at > self._longest_call

    def _first_send(self, hand: Hand) -> Admitted:
        unsendable = self._unsendable(hand)
        return Send() if unsendable is None else Settle(unsendable)

    def _after_takeover(
        self, hand: Hand, starts: int, settled: tuple[DeviceResult, ...]
    ) -> Admitted:
        """`starts` workers were at it before, and none of them lived to tell."""
        if starts >= MOST_STARTS:
            message = f"{starts} workers stopped while they were sending it."
            done = interrupted(hand.job, settled, self._unknown(message))
            return Settle(done, found="started", poison=True)
        if hand.job.delivery is DeliveryPolicy.AT_MOST_ONCE or self._unsendable(hand) is not None:
            message = "A worker stopped while it was sending; the outcome is unknown."
            return Settle(interrupted(hand.job, settled, self._unknown(message)), found="started")
        return Send(possible_duplicate=True, starts=starts + 1, settled=settled)

    def _unsendable(self, hand: Hand) -> Done | None:
        now = self._now()
        expires_at = hand.job.expires_at
        if expires_at is not None and expires_at <= now:
            message = "It expired before it could be sent."
            return undelivered(Outcome.EXPIRED, Reason.EXPIRED, message, now=now)
        if not hand.job.addresses:
            message = "The job names no address."
            return undelivered(Outcome.REJECTED, Reason.NO_ADDRESS, message, now=now)
        return None

    def _unknown(self, message: str) -> Done:
        return undelivered(Outcome.FAILED, Reason.OUTCOME_UNKNOWN, message, now=self._now())
