"""Every answer of RabbitMQ finds its message, whatever the order, and no other."""

from hypothesis import given
from hypothesis import strategies as st

from carillon.broker.confirms import CONFIRMED, NACKED, Confirms, Window
from carillon.broker.errors import BrokerUnavailable
from carillon.broker.messages import OutgoingMessage, PublishOutcome, Route

ROUTE = Route("exchange", "key")


def window(*message_ids: str) -> Window:
    return Window([OutgoingMessage(route=ROUTE, body=b"", message_id=each) for each in message_ids])


def write(confirms: Confirms, *windows: Window) -> None:
    for each in windows:
        for _ in each.messages[each.written :]:
            confirms.wrote(each)


def outcomes(of: Window) -> list[str]:
    return [result.outcome.value for result in of.results]


def test_one_multiple_ack_confirms_windows_of_several_callers() -> None:
    confirms, first, second = Confirms(), window("a", "b"), window("c", "d")
    write(confirms, first, second)
    confirms.answered(3, True, CONFIRMED)
    assert outcomes(first) == ["confirmed", "confirmed"]
    assert first.done.is_set()
    assert not second.done.is_set()
    confirms.answered(4, False, CONFIRMED)
    assert second.done.is_set()
    assert len(confirms) == 0


def test_nacks_and_returns_belong_to_their_messages_alone() -> None:
    confirms, only = Confirms(), window("a", "b", "c", "d")
    write(confirms, only)
    confirms.answered(2, False, NACKED)
    confirms.returned("c", "unroutable")
    confirms.answered(4, True, CONFIRMED)
    assert outcomes(only) == ["confirmed", "nacked", "returned", "confirmed"]
    assert only.results[2].detail == "unroutable"
    assert [result.confirmed for result in only.results] == [True, False, False, True]


def test_a_late_confirm_does_not_confirm_the_same_message_in_a_later_window() -> None:
    confirms, early, later = Confirms(), window("a"), window("a")
    write(confirms, early)
    early.settle("no confirm in time")
    write(confirms, later)
    confirms.answered(1, False, CONFIRMED)
    assert outcomes(early) == ["unknown"]
    assert not later.done.is_set()
    assert confirms.late == 1
    confirms.answered(2, False, NACKED)
    assert outcomes(later) == ["nacked"]


def test_a_return_that_may_belong_to_either_copy_confirms_neither() -> None:
    confirms, early, later = Confirms(), window("a"), window("a")
    write(confirms, early)
    early.settle("no confirm in time")
    write(confirms, later)
    confirms.returned("a", "unroutable")
    confirms.answered(2, True, CONFIRMED)
    assert outcomes(later) == ["returned"]


def test_a_return_after_the_first_copy_was_answered_belongs_to_the_second() -> None:
    confirms, first, second = Confirms(), window("a"), window("a")
    write(confirms, first, second)
    confirms.answered(1, False, CONFIRMED)
    confirms.returned("a", "unroutable")
    confirms.answered(2, False, CONFIRMED)
    assert outcomes(first) == ["confirmed"]
    assert outcomes(second) == ["returned"]


def test_a_lost_connection_leaves_written_messages_unknown_and_the_rest_unsent() -> None:
    confirms, only = Confirms(), window("a", "b", "c")
    confirms.wrote(only)
    confirms.wrote(only)
    confirms.answered(1, False, CONFIRMED)
    confirms.settle("the connection was lost")
    assert outcomes(only) == ["confirmed", "unknown", "unsent"]
    assert only.results[1].detail == "the connection was lost"


def test_a_window_that_was_never_written_fails_and_one_that_was_does_not() -> None:
    confirms, untouched, begun = Confirms(), window("a"), window("b")
    write(confirms, begun)
    error = BrokerUnavailable("no connection")
    untouched.give_up(error)
    begun.give_up(error)
    assert untouched.error is error
    assert begun.error is None
    assert outcomes(begun) == ["unknown"]


def test_an_empty_window_needs_no_answer() -> None:
    assert window().done.is_set()
    assert window().results == []


@given(st.data())
def test_every_message_gets_exactly_the_answer_that_was_sent_for_it(data: st.DataObject) -> None:
    confirms = Confirms()
    windows = [
        window(*(f"{number}.{index}" for index in range(size)))
        for number, size in enumerate(data.draw(st.lists(st.integers(1, 6), min_size=1)))
    ]
    write(confirms, *windows)
    ids = [message.message_id for each in windows for message in each.messages]
    returned = data.draw(st.sets(st.sampled_from(ids)))
    nacked: set[str] = set()
    for message_id in returned:
        confirms.returned(message_id, "unroutable")
    pending = list(range(1, len(ids) + 1))
    while pending:
        tag = data.draw(st.sampled_from(pending))
        multiple = data.draw(st.booleans())
        answer = data.draw(st.sampled_from([CONFIRMED, NACKED]))
        covered = [each for each in pending if each == tag or (multiple and each < tag)]
        if answer is NACKED:
            nacked |= {ids[each - 1] for each in covered}
        confirms.answered(tag, multiple, answer)
        pending = [each for each in pending if each not in covered]
        assert len(confirms) == len(pending)
    expected = [
        PublishOutcome.RETURNED
        if message_id in returned
        else PublishOutcome.NACKED
        if message_id in nacked
        else PublishOutcome.CONFIRMED
        for message_id in ids
    ]
    assert [result.outcome for each in windows for result in each.results] == expected
    assert all(each.done.is_set() for each in windows)
    assert confirms.late == 0
