"""A user's several devices: who is called for each, and what the attempt comes to."""

from collections.abc import Callable

import msgspec
import pytest

from carillon.contracts.messages import Address, DeliveryJob, DeliveryPolicy, DeviceResult, Outcome
from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.testing.providers import delivery_job
from carillon.worker.breaker import Permit
from carillon.worker.dedupe import Done, event_of
from carillon.worker.devices import ROUND_SECONDS, DeviceRound, interrupted
from carillon.worker.outcomes import undelivered, utc_now
from carillon.worker.routing import AlwaysClosed, Choice, Member, ProviderOrder
from carillon.worker.sending import Sender
from carillon.worker.tests.doubles import Clock, RecordingProvider

DEAD = PermanentFailure("gone", reason=Reason.DEAD_TOKEN)
DOWN = TemporaryFailure("down", retry_after=9.0)
BUSY_DEVICE = TemporaryFailure("later", reason=Reason.OTHER, retry_after=3.0)
FOREIGN = PermanentFailure("no", reason=Reason.INVALID_ADDRESS)
KEYLESS = PermanentFailure("no key", reason=Reason.CONFIGURATION)

A, B, C = (Address(f"token-{name}", "fcm", f"device_{name}") for name in "abc")
APPLE = Address("token-i", "apns", "device_i")
BROWSER = Address("token-w", "webpush", "device_w")


def failing(**failures: DeliveryFailure) -> Callable[[DeliveryJob], None]:
    """Fails for these devices, by the last letter of their token."""

    def behave(job: DeliveryJob) -> None:
        failure = failures.get(job.addresses[0].value[-1])
        if failure is not None:
            raise failure

    return behave


def fcm(**failures: DeliveryFailure) -> RecordingProvider:
    platforms = frozenset({"fcm", ""})
    return RecordingProvider("fcm", failing(**failures), platforms=platforms)


def apns(**failures: DeliveryFailure) -> RecordingProvider:
    return RecordingProvider("apns", failing(**failures), platforms=frozenset({"apns"}))


def push(*addresses: Address, **changes: object) -> DeliveryJob:
    return delivery_job("push", addresses=addresses, **changes)


class Shut(AlwaysClosed):
    """A breaker that is open for so many seconds; it hears what is given back."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.abandoned = 0

    def ask(self) -> Permit:
        return Permit() if self.seconds is None else self.seconds  # type: ignore[return-value]

    def abandon(self, permit: Permit) -> None:
        self.abandoned += 1


class Round:
    """One round, with what it recorded on its way."""

    def __init__(self, *members: RecordingProvider | Member) -> None:
        self.order = ProviderOrder(
            each if isinstance(each, Member) else Member(each, AlwaysClosed()) for each in members
        )
        self.recorded: list[tuple[DeviceResult, ...]] = []
        self.naps: list[float] = []
        self.clock = Clock()

    def send(
        self, job: DeliveryJob, settled: tuple[DeviceResult, ...] = (), *, again: bool = False
    ) -> Done:
        choice = next(
            found
            for address in job.addresses
            if isinstance(found := self.order.choose(job.lane, (), address.platform), Choice)
        )
        return DeviceRound(
            self.order,
            Sender(self.order),
            record=self.recorded.append,
            nap=self._nap,
            clock=self.clock,
        ).send(job, choice, settled, possible_duplicate=again)

    def _nap(self, seconds: float) -> bool:
        self.naps.append(seconds)
        return len(self.naps) < 3


def outcomes(done: Done) -> dict[str, Outcome]:
    return {each.device_id[-1]: each.outcome for each in done.devices}


def reached(provider: RecordingProvider) -> list[str]:
    return [job.addresses[0].value[-1] for job in provider.jobs]


def test_each_device_goes_through_a_provider_of_its_platform() -> None:
    google, apple = fcm(), apns()
    done = Round(google, apple).send(push(APPLE, A, B))
    assert (reached(google), reached(apple)) == (["a", "b"], ["i"])
    assert done.outcome is Outcome.DELIVERED
    assert [(each.device_id, each.provider) for each in done.devices] == [
        ("device_i", "apns"),
        ("device_a", "fcm"),
        ("device_b", "fcm"),
    ]
    assert (done.provider, done.provider_message_id) == (
        "apns",
        done.devices[0].provider_message_id,
    )
    assert done.event_id


def test_each_call_is_for_one_device_of_the_same_attempt() -> None:
    google = fcm()
    job = push(A, B)
    Round(google).send(job)
    assert [each.addresses for each in google.jobs] == [(A,), (B,)]
    assert {each.message_id for each in google.jobs} == {job.message_id}


@pytest.mark.parametrize(
    ("failures", "outcome", "reason"),
    [
        ({"a": DEAD}, Outcome.DELIVERED, None),
        ({"a": DEAD, "b": DEAD}, Outcome.FAILED, Reason.DEAD_TOKEN),
        ({"a": DEAD, "b": FOREIGN}, Outcome.BOUNCED, Reason.INVALID_ADDRESS),
        ({"a": KEYLESS}, Outcome.DELIVERED, None),
        ({"a": BUSY_DEVICE}, Outcome.DEFERRED, Reason.OTHER),
        ({"a": BUSY_DEVICE, "b": DEAD}, Outcome.DEFERRED, Reason.OTHER),
        ({"b": DOWN}, Outcome.DEFERRED, Reason.PROVIDER_UNAVAILABLE),
    ],
)
def test_one_device_is_enough_and_one_that_may_come_asks_for_another_attempt(
    failures: dict[str, DeliveryFailure], outcome: Outcome, reason: Reason | None
) -> None:
    done = Round(fcm(**failures)).send(push(A, B))
    assert (done.outcome, done.reason) == (outcome, reason)
    assert outcomes(done) == {
        name: Outcome.DELIVERED
        if name not in failures
        else Outcome.DEFERRED
        if isinstance(failures[name], TemporaryFailure)
        else Outcome.BOUNCED
        if failures[name] is FOREIGN
        else Outcome.FAILED
        for name in "ab"
    }


def test_trouble_of_a_provider_is_not_met_again_for_the_next_device() -> None:
    google, apple = fcm(a=DOWN), apns()
    done = Round(google, apple).send(push(A, B, C, APPLE))
    assert (reached(google), reached(apple)) == (["a"], ["i"])
    assert outcomes(done) == {
        "a": Outcome.DEFERRED,
        "b": Outcome.DEFERRED,
        "c": Outcome.DEFERRED,
        "i": Outcome.DELIVERED,
    }
    assert done.retry_after == 9.0


def test_a_stand_in_has_to_reach_the_same_platform() -> None:
    spare = RecordingProvider("spare", platforms=frozenset({"fcm"}))
    apple = apns()
    done = Round(fcm(a=DOWN), apple, spare).send(push(A, B))
    assert (reached(apple), reached(spare)) == ([], ["a", "b"])
    assert done.outcome is Outcome.DELIVERED


def test_a_platform_that_no_provider_serves_ends_for_its_devices_alone() -> None:
    google = fcm()
    done = Round(google).send(push(BROWSER, A))
    assert outcomes(done) == {"w": Outcome.FAILED, "a": Outcome.DELIVERED}
    assert done.devices[0].reason is Reason.CONFIGURATION
    assert done.outcome is Outcome.DELIVERED


def test_a_platform_whose_breaker_is_open_waits_for_the_next_attempt() -> None:
    google = fcm()
    done = Round(google, Member(apns(), Shut(40.0))).send(push(APPLE, A))
    assert outcomes(done) == {"i": Outcome.DEFERRED, "a": Outcome.DELIVERED}
    assert (done.outcome, done.retry_after) == (Outcome.DEFERRED, 40.0)


def test_a_short_wait_for_a_rate_limit_is_slept_through() -> None:
    breaker = Shut()
    google = fcm()
    round_ = Round(Member(google, breaker))

    def then_wait(job: DeliveryJob) -> None:
        breaker.seconds = 0.2

    google.behave = then_wait
    done = round_.send(push(A, B))
    assert round_.naps == [0.2, 0.2, 0.2]
    assert outcomes(done) == {"a": Outcome.DELIVERED, "b": Outcome.DEFERRED}


def test_a_permit_that_was_not_used_is_given_back() -> None:
    breaker = Shut()
    done = Round(Member(fcm(), breaker)).send(push(A), (settled(A),))
    assert done.outcome is Outcome.DELIVERED
    assert breaker.abandoned == 1


def settled(address: Address, outcome: Outcome = Outcome.DELIVERED) -> DeviceResult:
    return DeviceResult(
        device_id=address.device_id, platform=address.platform, attempt=1, outcome=outcome
    )


def test_what_is_done_is_recorded_before_the_next_device_is_called() -> None:
    google = fcm(a=DEAD)
    round_ = Round(google)
    seen: list[int] = []
    before = google.behave

    def behave(job: DeliveryJob) -> None:
        seen.append(len(round_.recorded))
        before(job)

    google.behave = behave
    done = round_.send(push(A, B, C))
    assert seen == [0, 1, 2]
    assert [outcomes_of(each) for each in round_.recorded] == [
        [Outcome.FAILED],
        [Outcome.FAILED, Outcome.DELIVERED],
    ]
    assert outcomes_of(done.devices) == [Outcome.FAILED, Outcome.DELIVERED, Outcome.DELIVERED]


def outcomes_of(results: tuple[DeviceResult, ...]) -> list[Outcome]:
    return [each.outcome for each in results]


def test_one_device_alone_needs_no_record() -> None:
    round_ = Round(fcm())
    round_.send(push(A))
    assert round_.recorded == []


def test_a_device_that_is_done_is_not_called_again() -> None:
    google = fcm()
    done = Round(google).send(push(A, B, C), (settled(A), settled(B, Outcome.FAILED)), again=True)
    assert reached(google) == ["c"]
    assert [(each.device_id[-1], each.possible_duplicate) for each in done.devices] == [
        ("a", False),
        ("b", False),
        ("c", True),
    ]
    assert done.possible_duplicate


def test_an_unknown_outcome_is_that_devices_alone() -> None:
    unknown = OutcomeUnknown("silence")
    once = push(A, APPLE, delivery=DeliveryPolicy.AT_MOST_ONCE)
    done = Round(fcm(a=unknown), apns()).send(once)
    assert outcomes(done) == {"a": Outcome.FAILED, "i": Outcome.DELIVERED}
    assert (done.outcome, done.possible_duplicate) == (Outcome.DELIVERED, False)
    done = Round(fcm(a=unknown), apns()).send(push(A, APPLE))
    assert outcomes(done) == {"a": Outcome.DEFERRED, "i": Outcome.DELIVERED}
    assert done.possible_duplicate


def test_a_slow_round_leaves_the_rest_to_the_next_attempt() -> None:
    google = fcm()
    round_ = Round(google)
    google.behave = lambda _job: round_.clock.advance(ROUND_SECONDS / 2 + 1)
    done = round_.send(push(A, B, C))
    assert reached(google) == ["a", "b"]
    assert outcomes(done) == {
        "a": Outcome.DELIVERED,
        "b": Outcome.DELIVERED,
        "c": Outcome.DEFERRED,
    }


@pytest.mark.parametrize(
    ("known", "outcome", "reason"),
    [
        ((), Outcome.FAILED, Reason.OUTCOME_UNKNOWN),
        ((settled(A),), Outcome.DELIVERED, None),
        ((settled(A, Outcome.FAILED),), Outcome.FAILED, Reason.OUTCOME_UNKNOWN),
    ],
)
def test_what_a_worker_left_behind_is_the_outcome_where_nothing_more_is_sent(
    known: tuple[DeviceResult, ...], outcome: Outcome, reason: Reason | None
) -> None:
    unknown = undelivered(Outcome.FAILED, Reason.OUTCOME_UNKNOWN, "gone", now=utc_now())
    done = interrupted(push(A, B), known, unknown)
    assert (done.outcome, done.reason) == (outcome, reason)
    assert len(done.devices) == 2
    assert done.devices[1].reason is Reason.OUTCOME_UNKNOWN


def test_an_event_tells_of_the_devices_of_all_attempts() -> None:
    job = push(B, settled=(settled(A),), attempt=2)
    done = Round(fcm()).send(job)
    event = event_of(job, done)
    assert [(each.device_id, each.attempt) for each in event.devices] == [
        ("device_a", 1),
        ("device_b", 2),
    ]
    assert "token" not in msgspec.json.encode(event).decode()
