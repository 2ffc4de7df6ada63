"""One attempt: call providers in order until one takes the message, and say what became of it."""

import time
import traceback
from collections.abc import Callable, Collection
from datetime import datetime

import msgspec
import structlog

from carillon.contracts.messages import DeliveryJob, DeliveryPolicy, Outcome
from carillon.contracts.provider import Acceptance, OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.observability import tracing
from carillon.worker import metrics
from carillon.worker.dedupe import Done
from carillon.worker.outcomes import OUTCOMES, accepted, refused, utc_now
from carillon.worker.routing import Choice, ProviderOrder, passed_over, spreads

log = structlog.get_logger(__name__)


class Answered(msgspec.Struct, frozen=True):
    """When and how a call was made whose answer is known already.

    `began` is of perf_counter, `seconds` the call's duration. `heard` is what the breaker was told.
    """

    started_at: datetime
    began: float
    seconds: float
    heard: Acceptance | DeliveryFailure | None

    @property
    def kind(self) -> str:
        """As the metric names it."""
        return _kind_of(self.heard)


class Sender:
    """Calls providers; keeps nothing, so that any number of threads may send at once."""

    def __init__(self, order: ProviderOrder, *, now: Callable[[], datetime] = utc_now) -> None:
        self._order = order
        self._now = now

    def send(
        self,
        job: DeliveryJob,
        choice: Choice,
        *,
        possible_duplicate: bool = False,
        platform: str | None = None,
        avoided: dict[str, DeliveryFailure] | None = None,
        answered: tuple[DeliveryFailure, Answered] | None = None,
    ) -> Done:
        """Send `job` through `choice`, or a stand-in where that one is in trouble.

        A stand-in reaches the `platform` of the job's device, and is none of `avoided`, to which
        the providers are added that the job's next device would meet in the same trouble.

        A stand-in is tried after a temporary failure, after one of our account with the provider
        (`configuration`), and, at `at_least_once`, where the outcome is unknown: the message may
        then arrive twice, and says so. Where `choice` was called already, `answered` tells how.
        """
        avoided = {} if avoided is None else avoided
        attempt = _Attempt(job, self._now(), possible_duplicate)
        known: DeliveryFailure | None = None
        if answered is not None:
            known = answered[0]
            attempt.began(answered[1])
        while True:
            answer, known = known or self._call(job, choice), None
            if isinstance(answer, Acceptance):
                return attempt.accepted(choice, answer)
            if spreads(answer):
                avoided[choice.identity] = answer
            if attempt.settled_by(answer):
                return attempt.refused(choice, answer)
            attempt.failures.append((choice, answer))
            following = self._stand_in(job, attempt, avoided, platform)
            if following is None:
                return attempt.given_up()
            log.info(
                "provider failed, trying the next",
                provider=choice.name,
                following=following.name,
                reason=answer.reason,
                correlation_id=job.correlation_id,
            )
            choice = following

    def _stand_in(
        self,
        job: DeliveryJob,
        attempt: "_Attempt",
        avoided: Collection[str],
        platform: str | None,
    ) -> Choice | None:
        if job.expires_at is not None and job.expires_at <= self._now():
            return None
        tried = {*avoided, *(failed.identity for failed, _ in attempt.failures)}
        tried |= passed_over(self._order, job.avoid)
        following = self._order.choose(job.lane, tried, platform)
        return following if isinstance(following, Choice) else None

    def _call(self, job: DeliveryJob, choice: Choice) -> Acceptance | DeliveryFailure:
        started = time.perf_counter()
        answer: Acceptance | DeliveryFailure
        heard: Acceptance | DeliveryFailure | None
        with tracing.span(f"send {choice.name}", "client") as span:
            try:
                answer = heard = choice.member.provider.send(job)
            except DeliveryFailure as failure:
                answer = heard = failure
                span.fail(failure.reason.value)
            except Exception as defect:  # noqa: BLE001  a provider's bug must not stop the lane
                answer, heard = defect_of(job, choice, defect), None
                span.fail(type(defect).__name__)
        metrics.call_seconds(job.channel, choice.name).observe(time.perf_counter() - started)
        metrics.calls(job.channel, choice.name, _kind_of(heard)).inc()
        self._order.heard(choice, heard)
        return answer


def defect_of(job: DeliveryJob, choice: Choice, defect: Exception) -> TemporaryFailure:
    """Log a bug of a provider: the failure that it counts as."""
    log.error(
        "defect in a provider",
        provider=choice.name,
        channel=job.channel,
        notification_id=job.notification_id,
        correlation_id=job.correlation_id,
        error=type(defect).__name__,
        # Where, but not what: an exception's own text may quote the address.
        where="".join(traceback.format_tb(defect.__traceback__)),
    )
    return TemporaryFailure(
        f"The provider's adapter failed unexpectedly ({type(defect).__name__}).",
        reason=Reason.OTHER,
        code="defect",
    )


_KINDS: dict[type[DeliveryFailure], str] = {
    TemporaryFailure: "temporary",
    PermanentFailure: "permanent",
    OutcomeUnknown: "unknown",
}


def _kind_of(heard: Acceptance | DeliveryFailure | None) -> str:
    """Of what the breaker was told; None was a defect."""
    if heard is None:
        return "defect"
    if isinstance(heard, Acceptance):
        return "accepted"
    return _KINDS.get(type(heard), "temporary")


class _Attempt:
    """What was tried for one job so far."""

    def __init__(self, job: DeliveryJob, now: datetime, possible_duplicate: bool) -> None:
        self.failures: list[tuple[Choice, DeliveryFailure]] = []
        self._at_most_once = job.delivery is DeliveryPolicy.AT_MOST_ONCE
        self._started_at = now
        self._started = time.perf_counter()
        self._possible_duplicate = possible_duplicate

    def began(self, answered: Answered) -> None:
        """It began with a call that was made before."""
        self._started_at, self._started = answered.started_at, answered.began

    def settled_by(self, failure: DeliveryFailure) -> bool:
        """True where no other provider may or could do better."""
        if isinstance(failure, OutcomeUnknown):
            self._possible_duplicate = self._possible_duplicate or not self._at_most_once
            return self._at_most_once
        return isinstance(failure, PermanentFailure) and failure.reason is not Reason.CONFIGURATION

    def accepted(self, choice: Choice, acceptance: Acceptance) -> Done:
        return accepted(
            choice.name,
            acceptance.provider_message_id,
            choice.outcome,
            started_at=self._started_at,
            duration_ms=self._milliseconds(),
            possible_duplicate=self._possible_duplicate,
        )

    def refused(self, choice: Choice, failure: DeliveryFailure) -> Done:
        return self._refused(choice, failure, OUTCOMES.get(failure.reason, Outcome.FAILED))

    def given_up(self) -> Done:
        """The last failure that time may heal decides; where there is none, ours is at fault."""
        healing = [
            (choice, failure)
            for choice, failure in self.failures
            if not isinstance(failure, PermanentFailure)
        ]
        if not healing:
            return self.refused(*self.failures[-1])
        waits = [getattr(failure, "retry_after", None) for _, failure in healing]
        named = [wait for wait in waits if wait is not None]
        return self._refused(
            *healing[-1], Outcome.DEFERRED, min(named) if len(named) == len(waits) else None
        )

    def _refused(
        self,
        choice: Choice,
        failure: DeliveryFailure,
        outcome: Outcome,
        retry_after: float | None = None,
    ) -> Done:
        return refused(
            choice.name,
            failure,
            outcome,
            started_at=self._started_at,
            duration_ms=self._milliseconds(),
            possible_duplicate=self._possible_duplicate,
            retry_after=retry_after,
        )

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 3)
