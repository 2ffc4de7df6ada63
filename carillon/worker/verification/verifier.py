"""Takes requests to verify accounts from Redis, and has each checked on a thread of its own.

Apart from the crews: a check is never in the way of a message, and a provider that keeps one
waiting for minutes keeps nobody's messages waiting.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from carillon.clients.http import ServiceDown
from carillon.contracts.provider_accounts import ProviderAccount
from carillon.contracts.verification import (
    ANSWER_SECONDS,
    UnreadableRequest,
    VerificationRequest,
    VerificationResult,
    decode_request,
    requests_key,
)
from carillon.observability.correlation import bound, sane_or_new
from carillon.worker.accounts.making import AccountProviders
from carillon.worker.redis_link import RedisLink, RedisUnavailable
from carillon.worker.verification import metrics
from carillon.worker.verification.checking import after_defect, check
from carillon.worker.verification.gateway import VerificationSource

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 0.5
AT_ONCE = 4
# A check that is not answered in time counts no longer among those, but its thread is still there,
# for as long as the provider's timeouts allow. There are never more than these.
MOST_THREADS = 16
# Between the tries to reach a gateway that is away, while the answer is waited for.
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)

_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class _Check:
    """One that is being made; `began` is a monotonic time."""

    thread: threading.Thread
    began: float


@dataclass(frozen=True, slots=True)
class Bell:
    """The lists of requests of some channels, in Redis."""

    link: RedisLink
    channels: tuple[str, ...]

    def take(self) -> list[tuple[str, bytes]]:
        """The oldest request of each channel, where it has one. Raises RedisUnavailable."""
        replies = self.link.run(*(("LPOP", requests_key(channel)) for channel in self.channels))
        return [
            (channel, reply)
            for channel, reply in zip(self.channels, replies, strict=True)
            if isinstance(reply, bytes)
        ]


class Verifier:
    """Verifies the accounts of some channels; start it, and close it before the process ends."""

    def __init__(
        self,
        bell: Bell,
        source: VerificationSource,
        providers: Mapping[str, AccountProviders],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`providers` by channel, for all that the bell rings for."""
        self.bell = bell
        self._source = source
        self._providers = providers
        self._clock = clock
        self._stopping = threading.Event()
        self._checks: list[_Check] = []
        self._thread = threading.Thread(target=self._run, name="verifier", daemon=True)

    def start(self) -> None:
        """Begin to look for requests."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more; what is under way goes on."""
        self._stopping.set()

    def close(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for what is under way: whether all was answered.

        What was not answered times out, and its owner asks again.
        """
        self.stop()
        until = time.monotonic() + timeout
        threads = [check.thread for check in self._checks]
        for thread in (self._thread, *threads):
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        self.bell.link.close()
        return not any(thread.is_alive() for thread in threads)

    @property
    def alive(self) -> bool:
        """False where the thread that looks for requests has died."""
        return self._thread.is_alive() or self._stopping.is_set()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            try:
                while self._has_room() and self._begin_next():
                    pass
            except RedisUnavailable:
                # The link says so, and when it is back.
                continue

    def _has_room(self) -> bool:
        self._checks = [each for each in self._checks if each.thread.is_alive()]
        metrics.UNDER_WAY.set(len(self._checks))
        recent = self._clock() - ANSWER_SECONDS
        timely = sum(each.began > recent for each in self._checks)
        return timely < AT_ONCE and len(self._checks) < MOST_THREADS

    def _begin_next(self) -> bool:
        """Whether there was one. Raises RedisUnavailable."""
        taken = self.bell.take()
        for channel, octets in taken:
            try:
                request = decode_request(octets)
            except UnreadableRequest as error:
                metrics.VERIFICATIONS.labels(channel, "unreadable").inc()
                log.error("unreadable request to verify", channel=channel, problem=str(error))
                continue
            thread = threading.Thread(
                target=self._answer, args=(channel, request), name=f"verify-{channel}", daemon=True
            )
            self._checks.append(_Check(thread, self._clock()))
            thread.start()
        return bool(taken)

    def _answer(self, channel: str, request: VerificationRequest) -> None:
        with bound(sane_or_new(request.correlation_id), account=request.account_id):
            try:
                result = self._verify(channel, request)
            except ServiceDown:
                result = "untold"
            except Exception as defect:  # noqa: BLE001  said here: nobody else hears of this thread
                after_defect(defect, "")
                result = "defect"
            metrics.VERIFICATIONS.labels(channel, result).inc()

    def _verify(self, channel: str, request: VerificationRequest) -> str:
        """The word for what came of it. Raises ServiceDown."""
        account = self._patiently(lambda: self._source.account_of(request))
        if account is None:
            log.info("nobody waits for a verification", channel=channel)
            return "unwanted"
        began = self._clock()
        result = self._checked(channel, account)
        log.info(
            "provider account check finished",
            channel=channel,
            provider=account.provider,
            status=result.status.value,
            reason=result.reason,
            code=result.code,
            seconds=round(self._clock() - began, 3),
        )
        told = self._patiently(lambda: self._source.tell(request, result))
        return result.status.value if told else "unwanted"

    def _checked(self, channel: str, account: ProviderAccount) -> VerificationResult:
        """By a provider of its own: what sends at this moment may be made of older credentials."""
        provider = self._providers[channel].make(account).provider
        try:
            return check(provider)
        finally:
            provider.close()

    def _patiently(self, call: Callable[[], _Said]) -> _Said:
        """What the gateway says, also where it is being restarted. Raises ServiceDown."""
        for pause in PAUSES_SECONDS:
            try:
                return call()
            except ServiceDown:
                if self._stopping.wait(pause):
                    break
        return call()
