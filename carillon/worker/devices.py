"""A job for a user's devices: each through a provider of its platform, together one outcome.

The devices are called one after the other, so that a crash leaves no more than one in doubt.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.ids import new_id
from carillon.contracts.messages import ARRIVED, Address, DeliveryJob, DeviceResult, Outcome
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.worker.dedupe import Done
from carillon.worker.outcomes import EVENT_PREFIX, deferred_for, refused, utc_now
from carillon.worker.routing import Choice, ProviderOrder
from carillon.worker.sending import Sender

# No further device is begun after so long: the others are for the next attempt.
ROUND_SECONDS = 30.0
# Longer waits for a provider's rate limit are for the next attempt as well.
LONGEST_NAP_SECONDS = 1.0

Settled = tuple[DeviceResult, ...]


class Nap(Protocol):
    """Sleeps for some seconds; False where the worker is stopping and there is no time."""

    def __call__(self, seconds: float, /) -> bool: ...


def is_for_devices(job: DeliveryJob) -> bool:
    """Whether its addresses are devices, of which a user has several."""
    return CHANNELS[job.channel].address is AddressKind.DEVICE


class DeviceRound:
    """One attempt at a job's devices; `record` hears of what is done before the next is begun."""

    def __init__(
        self,
        order: ProviderOrder,
        sender: Sender,
        *,
        record: Callable[[Settled], None],
        nap: Nap,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._order = order
        self._sender = sender
        self._record = record
        self._nap = nap
        self._clock = clock
        # Providers that the next device would meet in the same trouble.
        self._avoided: dict[str, DeliveryFailure] = {}

    def send(
        self,
        job: DeliveryJob,
        first: Choice,
        settled: Settled = (),
        *,
        possible_duplicate: bool = False,
    ) -> Done:
        """Send to each device that is not `settled`; `first` is a provider chosen for one of them.

        One that accepts makes the job arrive; the rest of it is deferred where another attempt
        may reach a device, and told in `devices` otherwise.
        """
        started, started_at = self._clock(), utc_now()
        results = list(settled)
        waits: list[float | None] = []
        choice: Choice | None = first
        remaining = unsettled(job, settled)
        for position, address in enumerate(remaining):
            if self._clock() - started > ROUND_SECONDS:
                done = deferred_for(0.0, now=utc_now())
            else:
                part = msgspec.structs.replace(job, addresses=(address,), settled=())
                done, choice = self._send_one(
                    part, address, choice, possible_duplicate=possible_duplicate
                )
            if done.outcome is Outcome.DEFERRED:
                waits.append(done.retry_after)
            results.append(result_of(job, address, done))
            if position + 1 < len(remaining):
                self._record(tuple(results))
        if choice is not None:
            choice.member.breaker.abandon(choice.permit)
        named = [wait for wait in waits if wait is not None]
        return combined(
            results,
            Done(
                event_id="",
                outcome=Outcome.DEFERRED,
                started_at=started_at,
                occurred_at=utc_now(),
                duration_ms=round((self._clock() - started) * 1000, 3),
                retry_after=min(named) if waits and len(named) == len(waits) else None,
            ),
        )

    def _send_one(
        self, part: DeliveryJob, address: Address, held: Choice | None, *, possible_duplicate: bool
    ) -> tuple[Done, Choice | None]:
        """What became of one device, and the choice that is still to be used."""
        platform = address.platform
        if not self._order.serves(platform):
            return _unserved(platform), held
        choice: Choice | float
        if held is not None and self._suits(held, platform):
            choice, held = held, None
        else:
            choice = self._choose(part, platform)
        if isinstance(choice, Choice):
            done = self._sender.send(
                part,
                choice,
                possible_duplicate=possible_duplicate,
                platform=platform,
                avoided=self._avoided,
            )
            return done, held
        return self._not_called(choice), held

    def _suits(self, choice: Choice, platform: str) -> bool:
        serves = choice.member.provider.capabilities.serves(platform)
        return serves and choice.identity not in self._avoided

    def _choose(self, part: DeliveryJob, platform: str) -> Choice | float:
        choice = self._order.choose(part.lane, self._avoided, platform)
        while isinstance(choice, float) and 0 < choice <= LONGEST_NAP_SECONDS:
            if not self._nap(choice):
                return choice
            choice = self._order.choose(part.lane, self._avoided, platform)
        return choice

    def _not_called(self, wait: float) -> Done:
        """No provider may be called now: because of its trouble, or of that in this very round."""
        if wait > 0 or not self._avoided:
            return deferred_for(wait, now=utc_now())
        identity, failure = next(reversed(self._avoided.items()))
        said = failure.retry_after if isinstance(failure, TemporaryFailure) else None
        calm = TemporaryFailure(
            "The provider was in trouble with another device of the user.",
            reason=Reason.PROVIDER_UNAVAILABLE,
            retry_after=said,
        )
        now = utc_now()
        return refused(
            self._order.name_of(identity),
            calm,
            Outcome.DEFERRED,
            started_at=now,
            duration_ms=0.0,
            possible_duplicate=False,
            retry_after=said,
        )


def unsettled(job: DeliveryJob, settled: Settled) -> list[Address]:
    """The job's devices that nothing is known of yet, in their order."""
    done = {_key(each.device_id, each.platform) for each in settled}
    return [each for each in job.addresses if _key(each.device_id, each.platform) not in done]


def result_of(job: DeliveryJob, address: Address, done: Done) -> DeviceResult:
    """What the event says of one device."""
    return DeviceResult(
        device_id=address.device_id,
        platform=address.platform,
        attempt=job.attempt,
        outcome=done.outcome,
        provider=done.provider,
        provider_message_id=done.provider_message_id,
        reason=done.reason,
        error_code=done.error_code,
        error_message=done.error_message,
        possible_duplicate=done.possible_duplicate,
    )


def interrupted(job: DeliveryJob, settled: Settled, unknown: Done) -> Done:
    """The outcome where a worker stopped midway and nothing more is sent.

    Of the devices that it was not done with nobody knows: `unknown` says so of each.
    """
    if not is_for_devices(job):
        return unknown
    rest = [result_of(job, address, unknown) for address in unsettled(job, settled)]
    return combined([*settled, *rest], unknown)


def combined(results: Sequence[DeviceResult], done: Done) -> Done:
    """One outcome of several devices, with the times of `done`.

    Another attempt is asked for while one device may still be reached; else one that took it is
    enough; else what is not merely a dead token is told.
    """
    told = _telling(results)
    return msgspec.structs.replace(
        done,
        event_id=done.event_id or new_id(EVENT_PREFIX),
        outcome=told.outcome,
        provider=told.provider,
        provider_message_id=told.provider_message_id,
        reason=told.reason,
        error_code=told.error_code,
        error_message=told.error_message,
        possible_duplicate=any(each.possible_duplicate for each in results),
        devices=tuple(results),
    )


def _telling(results: Sequence[DeviceResult]) -> DeviceResult:
    """The device whose result is told of all."""

    def weight(result: DeviceResult) -> int:
        if result.outcome is Outcome.DEFERRED:
            return 0
        if result.outcome in ARRIVED:
            return 1 if result.outcome is Outcome.DELIVERED else 2
        if result.reason is Reason.OUTCOME_UNKNOWN:
            return 3
        return 5 if result.reason is Reason.DEAD_TOKEN else 4

    return min(results, key=weight)


def _key(device_id: str, platform: str) -> tuple[str, str]:
    # A token that came with the request has no id, and is the only address of its job.
    return device_id, "" if device_id else platform


def _unserved(platform: str) -> Done:
    failure = PermanentFailure(
        f"No provider is configured for devices of the platform {platform or 'fcm'}.",
        reason=Reason.CONFIGURATION,
    )
    now = utc_now()
    return refused(
        "",
        failure,
        Outcome.FAILED,
        started_at=now,
        duration_ms=0.0,
        possible_duplicate=False,
    )
