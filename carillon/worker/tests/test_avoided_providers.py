"""What a provider took without a receipt goes to another one, and never back to it."""

from carillon.contracts.messages import DeliveryJob, Outcome, decode_job, encode
from carillon.errors import Reason, TemporaryFailure
from carillon.testing.providers import delivery_job
from carillon.worker.crew import _first_choice
from carillon.worker.routing import AlwaysClosed, Choice, Member, ProviderOrder, passed_over
from carillon.worker.sending import Sender
from carillon.worker.tests.doubles import RecordingProvider


def order_of(*names: str) -> ProviderOrder:
    return ProviderOrder(Member(RecordingProvider(name), AlwaysClosed()) for name in names)


def chosen(order: ProviderOrder, *avoid: str) -> str:
    choice = _first_choice(order, delivery_job(avoid=avoid))
    assert isinstance(choice, Choice)
    return choice.name


def test_the_next_provider_takes_it() -> None:
    order = order_of("first", "second", "third")
    assert chosen(order) == "first"
    assert chosen(order, "first") == "second"
    assert chosen(order, "first", "second") == "third"


def test_where_nobody_else_is_left_it_is_sent_all_the_same() -> None:
    """The gateway asks only where it knows of another; an organization's own account may differ."""
    assert chosen(order_of("first"), "first") == "first"
    assert passed_over(order_of("first", "second"), ["first", "second"]) == frozenset()


def test_an_unknown_name_changes_nothing() -> None:
    assert chosen(order_of("first", "second"), "elsewhere") == "first"


def test_it_does_not_come_back_when_the_stand_in_fails() -> None:
    def fail(_job: DeliveryJob) -> None:
        raise TemporaryFailure("busy", reason=Reason.PROVIDER_UNAVAILABLE)

    first, second = RecordingProvider("first"), RecordingProvider("second", fail)
    order = ProviderOrder((Member(first, AlwaysClosed()), Member(second, AlwaysClosed())))
    job = delivery_job(avoid=("first",))
    choice = _first_choice(order, job)
    assert isinstance(choice, Choice)
    done = Sender(order).send(job, choice)
    assert (done.outcome, first.calls) == (Outcome.DEFERRED, [])
    assert len(second.calls) == 1


def test_it_travels_with_the_job() -> None:
    job = delivery_job(avoid=("sendgrid",))
    assert decode_job(encode(job)) == job
    assert b"avoid" not in encode(delivery_job())
