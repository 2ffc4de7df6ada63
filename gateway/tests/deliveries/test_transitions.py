"""What an event does to a notification, as a matter of decisions alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryEvent, Outcome
from carillon.contracts.status import ENDS, MOVES, Status, may_move
from carillon.errors import Reason
from gateway.deliveries.transitions import STATUS_OF, Progress, apply_event, refines
from gateway.tests.policies import POLICIES

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
POLICY = POLICIES["email"]


def progress(status: Status = Status.QUEUED, attempt: int = 1, **fields: Any) -> Progress:
    return Progress(
        **{
            "id": uuid4(),
            "organization": uuid4(),
            "channel": "email",
            "lane": Lane.NORMAL,
            "priority": 5,
            "status": status,
            "attempt": attempt,
            "earlier_attempts": 0,
            "created_at": NOW,
            "expires_at": None,
            **fields,
        }
    )


def event(outcome: Outcome, attempt: int = 1, **fields: Any) -> DeliveryEvent:
    return DeliveryEvent(
        **{
            "event_id": "event_1",
            "notification_id": "notif_1",
            "attempt": attempt,
            "organization_id": "org_1",
            "correlation_id": "corr_1",
            "channel": "email",
            "outcome": outcome,
            "provider": "smtp",
            "provider_message_id": "<1@x>",
            "started_at": NOW,
            "occurred_at": NOW,
            **fields,
        }
    )


def apply(state: Progress, what: DeliveryEvent, recorded: Outcome | None = None) -> bool:
    return apply_event(state, what, recorded, POLICY, now=NOW, dice=0.5)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.DEFERRED])
def test_every_move_is_one_of_the_state_machine(status: Status, outcome: Outcome) -> None:
    state = progress(status)
    assert apply(state, event(outcome)) is may_move(status, STATUS_OF[outcome])
    assert state.status is (STATUS_OF[outcome] if STATUS_OF[outcome] in MOVES[status] else status)


def test_sent_then_delivered() -> None:
    state = progress()
    assert apply(state, event(Outcome.SENT))
    assert (state.sent_at, state.delivered_at) == (NOW, None)
    later = NOW + timedelta(seconds=9)
    receipt = event(Outcome.DELIVERED, occurred_at=later, provider_message_id="")
    assert apply(state, receipt)
    assert (state.sent_at, state.delivered_at) == (NOW, later)
    assert state.provider_message_id == "<1@x>"


def test_acceptance_by_a_provider_without_receipts_is_both() -> None:
    state = progress()
    apply(state, event(Outcome.DELIVERED))
    assert (state.sent_at, state.delivered_at) == (NOW, NOW)


@pytest.mark.parametrize("end", sorted(ENDS))
@pytest.mark.parametrize("outcome", Outcome)
def test_an_end_is_final(end: Status, outcome: Outcome) -> None:
    state = progress(end)
    assert not apply(state, event(outcome))
    assert (state.status, state.moved, state.next_attempt_at) == (end, False, None)


def test_a_temporary_failure_leads_to_the_next_attempt() -> None:
    state = progress()
    assert apply(
        state, event(Outcome.DEFERRED, reason=Reason.TIMED_OUT, error_message="451 try later")
    )
    assert (state.status, state.attempt) == (Status.RETRYING, 2)
    assert state.next_attempt_at == NOW + timedelta(seconds=5)
    assert (state.reason, state.error_message) == (Reason.TIMED_OUT, "451 try later")


def test_the_last_attempt_fails_for_good() -> None:
    state = progress(attempt=5)
    apply(state, event(Outcome.DEFERRED, attempt=5, error_message="451 try later"))
    assert (state.status, state.attempt) == (Status.FAILED, 5)
    assert (state.reason, state.error_message) == (Reason.ATTEMPTS_EXHAUSTED, "451 try later")
    assert state.next_attempt_at is None


def test_a_replay_has_all_its_attempts_again() -> None:
    state = progress(attempt=6, earlier_attempts=5)
    apply(state, event(Outcome.DEFERRED, attempt=6))
    assert (state.status, state.attempt) == (Status.RETRYING, 7)
    assert state.next_attempt_at == NOW + timedelta(seconds=5)
    state = progress(attempt=10, earlier_attempts=5)
    apply(state, event(Outcome.DEFERRED, attempt=10))
    assert state.status is Status.FAILED


def test_a_provider_that_names_a_time_is_believed() -> None:
    state = progress()
    apply(state, event(Outcome.DEFERRED, retry_after=100.0))
    assert state.next_attempt_at is not None
    assert state.next_attempt_at >= NOW + timedelta(seconds=100)


def test_no_attempt_is_scheduled_beyond_the_end_of_its_time() -> None:
    state = progress(expires_at=NOW + timedelta(seconds=5))
    apply(state, event(Outcome.DEFERRED))
    assert (state.status, state.reason) == (Status.EXPIRED, Reason.EXPIRED)
    assert state.next_attempt_at is None
    state = progress(expires_at=NOW + timedelta(seconds=6))
    apply(state, event(Outcome.DEFERRED))
    assert state.status is Status.RETRYING


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.FAILED, Status.FAILED),
        (Outcome.BOUNCED, Status.BOUNCED),
        (Outcome.REJECTED, Status.REJECTED),
        (Outcome.EXPIRED, Status.EXPIRED),
    ],
)
def test_a_permanent_failure_says_why(outcome: Outcome, status: Status) -> None:
    state = progress()
    apply(state, event(outcome, reason=Reason.INVALID_ADDRESS, error_message="550"))
    assert (state.status, state.reason, state.error_message) == (
        status,
        Reason.INVALID_ADDRESS,
        "550",
    )
    state = progress()
    apply(state, event(outcome))
    assert state.reason == Reason.OTHER


def test_success_forgets_the_trouble_before_it() -> None:
    state = progress(attempt=1)
    apply(state, event(Outcome.DEFERRED, reason=Reason.TIMED_OUT, error_message="451"))
    apply(state, event(Outcome.DELIVERED, attempt=2))
    assert (state.reason, state.error_message, state.next_attempt_at) == ("", "", None)


@pytest.mark.parametrize(
    "outcome",
    [Outcome.DEFERRED, Outcome.FAILED, Outcome.BOUNCED, Outcome.REJECTED, Outcome.EXPIRED],
)
def test_the_failure_of_an_earlier_attempt_is_late(outcome: Outcome) -> None:
    state = progress(Status.RETRYING, attempt=2)
    assert not apply(state, event(outcome, attempt=1))
    assert (state.status, state.attempt) == (Status.RETRYING, 2)


@pytest.mark.parametrize("recorded", [None, Outcome.DEFERRED, Outcome.SENT])
def test_the_late_arrival_of_an_earlier_attempt_saves_the_next(recorded: Outcome | None) -> None:
    state = progress(Status.RETRYING, attempt=2, next_attempt_at=NOW)
    assert apply(state, event(Outcome.DELIVERED, attempt=1), recorded)
    assert (state.status, state.attempt) == (Status.DELIVERED, 2)
    assert state.next_attempt_at is None


@pytest.mark.parametrize("recorded", [Outcome.SENT, Outcome.BOUNCED, Outcome.FAILED])
def test_a_repeat_from_before_a_replay_does_not_stop_the_replay(recorded: Outcome) -> None:
    state = progress(Status.ACCEPTED, attempt=2)
    assert not apply(state, event(Outcome.SENT, attempt=1), recorded)
    assert state.status is Status.ACCEPTED


def test_an_attempt_that_this_database_never_made_is_believed() -> None:
    """It was restored from a backup, say."""
    state = progress(Status.ACCEPTED, attempt=1)
    assert apply(state, event(Outcome.DEFERRED, attempt=3))
    assert (state.status, state.attempt) == (Status.RETRYING, 4)


def test_what_is_news_about_an_attempt() -> None:
    assert refines(None, Outcome.FAILED)
    assert refines(Outcome.SENT, Outcome.DELIVERED)
    assert refines(Outcome.SENT, Outcome.BOUNCED)
    assert refines(Outcome.DEFERRED, Outcome.SENT)
    assert not refines(Outcome.SENT, Outcome.SENT)
    assert not refines(Outcome.SENT, Outcome.DEFERRED)
    assert not refines(Outcome.DELIVERED, Outcome.BOUNCED)
    assert not refines(Outcome.FAILED, Outcome.SENT)
