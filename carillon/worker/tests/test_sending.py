"""One attempt, over one provider or several."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from carillon.contracts.messages import DeliveryJob, DeliveryPolicy, Outcome
from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.testing.providers import CANARY_ADDRESSES, delivery_job
from carillon.worker.breaker import Permit
from carillon.worker.dedupe import Done
from carillon.worker.routing import AlwaysClosed, Choice, Member, ProviderOrder
from carillon.worker.sending import Sender
from carillon.worker.tests.doubles import RecordingProvider


class ListeningBreaker(AlwaysClosed):
    """Keeps what it hears."""

    def __init__(self, answer: Permit | float | None = None) -> None:
        self.heard: list[str] = []
        self.answer: Permit | float = Permit() if answer is None else answer

    def ask(self) -> Permit:
        return self.answer  # type: ignore[return-value]

    def succeeded(self) -> None:
        self.heard.append("succeeded")

    def failed(self) -> None:
        self.heard.append("failed")

    def pause(self, seconds: float) -> None:
        self.heard.append(f"pause {seconds:g}")

    def abandon(self, permit: Permit) -> None:
        self.heard.append("abandon")


def raising(failure: Exception) -> Callable[[DeliveryJob], None]:
    def behave(_job: DeliveryJob) -> None:
        raise failure

    return behave


def send(job: DeliveryJob, *providers: RecordingProvider) -> tuple[Done, list[ListeningBreaker]]:
    breakers = [ListeningBreaker() for _ in providers]
    members = [
        Member(provider, breaker) for provider, breaker in zip(providers, breakers, strict=True)
    ]
    order = ProviderOrder(members)
    choice = order.choose(job.lane)
    assert isinstance(choice, Choice)
    return Sender(order).send(job, choice), breakers


def failing(failure: Exception, name: str = "first") -> RecordingProvider:
    return RecordingProvider(name, raising(failure))


@pytest.mark.parametrize(("receipts", "outcome"), [(True, "sent"), (False, "delivered")])
def test_acceptance_is_delivery_where_there_are_no_receipts(receipts: bool, outcome: str) -> None:
    done, [breaker] = send(delivery_job(), RecordingProvider(receipts=receipts))
    assert done.outcome == outcome
    assert done.provider == "recording"
    assert done.provider_message_id.startswith("recording-notif_")
    assert not done.possible_duplicate
    assert breaker.heard == ["succeeded"]


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (Reason.INVALID_ADDRESS, Outcome.BOUNCED),
        (Reason.BOUNCED, Outcome.BOUNCED),
        (Reason.BLOCKED, Outcome.REJECTED),
        (Reason.SPAM, Outcome.REJECTED),
        (Reason.UNSUBSCRIBED, Outcome.REJECTED),
        (Reason.DEAD_TOKEN, Outcome.FAILED),
        (Reason.INVALID_CONTENT, Outcome.FAILED),
        (Reason.PAYLOAD_TOO_LARGE, Outcome.FAILED),
        (Reason.CONFIGURATION, Outcome.FAILED),
        (Reason.OTHER, Outcome.FAILED),
    ],
)
def test_a_permanent_failure_is_named_by_its_reason(reason: Reason, outcome: Outcome) -> None:
    done, _ = send(delivery_job(), failing(PermanentFailure("no", reason=reason, code="42")))
    assert (done.outcome, done.reason, done.error_code) == (outcome, reason, "42")
    assert done.retry_after is None


def test_a_temporary_failure_is_deferred_with_the_time_that_was_named() -> None:
    failure = TemporaryFailure("busy", reason=Reason.RATE_LIMITED, code="429", retry_after=30.0)
    done, [breaker] = send(delivery_job(), failing(failure))
    assert (done.outcome, done.reason, done.retry_after) == (
        Outcome.DEFERRED,
        Reason.RATE_LIMITED,
        30.0,
    )
    assert breaker.heard == ["pause 30"]


@pytest.mark.parametrize(
    ("failure", "heard"),
    [
        (TemporaryFailure("down"), ["failed"]),
        (TemporaryFailure("slow", reason=Reason.TIMED_OUT), ["failed"]),
        (TemporaryFailure("down", retry_after=5.0), ["pause 5", "failed"]),
        (TemporaryFailure("down", retry_after=1e9), ["pause 3600", "failed"]),
        (TemporaryFailure("busy", reason=Reason.RATE_LIMITED), ["failed"]),
        (TemporaryFailure("greylisted", reason=Reason.OTHER), ["succeeded"]),
        (PermanentFailure("no such user", reason=Reason.INVALID_ADDRESS), ["succeeded"]),
        (PermanentFailure("bad key", reason=Reason.CONFIGURATION), ["failed"]),
        (OutcomeUnknown("silence"), ["failed"]),
        (RuntimeError("a bug"), ["abandon"]),
    ],
)
def test_the_breaker_hears_of_trouble_alone(failure: Exception, heard: list[str]) -> None:
    _, [breaker] = send(delivery_job(), failing(failure))
    assert breaker.heard == heard


@pytest.mark.parametrize(
    "failure",
    [
        TemporaryFailure("down"),
        PermanentFailure("bad key", reason=Reason.CONFIGURATION),
        RuntimeError("a bug"),
    ],
)
def test_trouble_moves_the_message_to_the_stand_in(failure: Exception) -> None:
    second = RecordingProvider("second")
    done, _ = send(delivery_job(), failing(failure), second)
    assert (done.outcome, done.provider) == (Outcome.DELIVERED, "second")
    assert not done.possible_duplicate


def test_a_permanent_failure_is_not_tried_elsewhere() -> None:
    second = RecordingProvider("second")
    refusal = PermanentFailure("no such user", reason=Reason.INVALID_ADDRESS)
    done, _ = send(delivery_job(), failing(refusal), second)
    assert done.outcome is Outcome.BOUNCED
    assert second.calls == []


def test_an_unknown_outcome_is_repeated_and_flagged_at_least_once() -> None:
    second = RecordingProvider("second")
    done, _ = send(delivery_job(), failing(OutcomeUnknown("silence")), second)
    assert done.outcome is Outcome.DELIVERED
    assert done.possible_duplicate


def test_an_unknown_outcome_with_no_stand_in_is_deferred_and_flagged() -> None:
    done, _ = send(delivery_job(), failing(OutcomeUnknown("silence")))
    assert (done.outcome, done.reason) == (Outcome.DEFERRED, Reason.OUTCOME_UNKNOWN)
    assert done.possible_duplicate


def test_an_unknown_outcome_is_the_end_at_most_once() -> None:
    second = RecordingProvider("second")
    job = delivery_job(delivery=DeliveryPolicy.AT_MOST_ONCE)
    done, _ = send(job, failing(OutcomeUnknown("silence")), second)
    assert (done.outcome, done.reason) == (Outcome.FAILED, Reason.OUTCOME_UNKNOWN)
    assert second.calls == []


def test_a_temporary_failure_may_use_the_stand_in_at_most_once() -> None:
    job = delivery_job(delivery=DeliveryPolicy.AT_MOST_ONCE)
    done, _ = send(job, failing(TemporaryFailure("down")), RecordingProvider("second"))
    assert (done.outcome, done.provider) == (Outcome.DELIVERED, "second")


@pytest.mark.parametrize(
    ("waits", "expected"), [((30.0, 10.0), 10.0), ((30.0, None), None), ((None, None), None)]
)
def test_the_earliest_time_counts(
    waits: tuple[float | None, float | None], expected: float | None
) -> None:
    first, second = (TemporaryFailure("down", retry_after=wait) for wait in waits)
    done, _ = send(delivery_job(), failing(first), failing(second, "second"))
    assert done.outcome is Outcome.DEFERRED
    assert done.provider == "second"
    assert done.retry_after == expected


def test_a_broken_stand_in_does_not_make_the_failure_permanent() -> None:
    misconfigured = PermanentFailure("bad key", reason=Reason.CONFIGURATION)
    done, _ = send(
        delivery_job(), failing(TemporaryFailure("down")), failing(misconfigured, "second")
    )
    assert (done.outcome, done.provider) == (Outcome.DEFERRED, "first")


def test_a_stand_in_whose_breaker_is_open_is_not_called() -> None:
    second = RecordingProvider("second")
    order = ProviderOrder(
        [
            Member(failing(TemporaryFailure("down")), ListeningBreaker()),
            Member(second, ListeningBreaker(10.0)),
        ]
    )
    choice = order.choose(delivery_job().lane)
    assert isinstance(choice, Choice)
    assert Sender(order).send(delivery_job(), choice).outcome is Outcome.DEFERRED
    assert second.calls == []


def test_what_expires_meanwhile_is_not_tried_elsewhere() -> None:
    second = RecordingProvider("second")
    job = delivery_job(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    done, _ = send(job, failing(TemporaryFailure("down")), second)
    assert done.outcome is Outcome.DEFERRED
    assert second.calls == []


def test_a_defect_is_deferred_and_logged_without_its_words() -> None:
    address = CANARY_ADDRESSES["email"].value  # type: ignore[index]
    with structlog.testing.capture_logs() as logs:
        done, _ = send(delivery_job(), failing(RuntimeError(f"cannot send to {address}")))
    assert (done.outcome, done.reason, done.error_code) == (
        Outcome.DEFERRED,
        Reason.OTHER,
        "defect",
    )
    [line] = [line for line in logs if line["event"] == "defect in a provider"]
    assert line["error"] == "RuntimeError"
    assert "doubles.py" in line["where"]
    assert address not in str(logs)


def test_a_providers_words_are_masked_and_bounded() -> None:
    failure: DeliveryFailure = PermanentFailure(
        "<jane.doe@example.com> +447700900123 " + "x" * 1000, reason=Reason.OTHER, code="c" * 200
    )
    done, _ = send(delivery_job(), failing(failure))
    assert "jane.doe" not in done.error_message
    assert "+447700900123" not in done.error_message
    assert len(done.error_message) <= 500
    assert len(done.error_code) <= 64
