"""Acks travel together only where that settles what was meant, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from carillon.broker.settling import Settlement, Unsettled, Verdict

ACK, REJECT, RELEASE = Verdict.ACK, Verdict.REJECT, Verdict.RELEASE


class BrokerModel:
    """RabbitMQ's view of one channel: what is unacked, and what each became."""

    def __init__(self) -> None:
        self.unacked: list[int] = []
        self.fate: dict[int, Verdict] = {}

    def deliver(self, tag: int) -> None:
        self.unacked.append(tag)

    def receive(self, frame: Settlement) -> None:
        # RabbitMQ closes the channel for a tag that is not unacked (PRECONDITION_FAILED).
        assert frame.tag in self.unacked, f"unknown delivery tag {frame.tag}"
        settled = [t for t in self.unacked if t == frame.tag or (frame.multiple and t < frame.tag)]
        for tag in settled:
            self.unacked.remove(tag)
            self.fate[tag] = frame.verdict


def unsettled(*tags: int) -> Unsettled:
    result = Unsettled()
    for tag in tags:
        result.delivered(tag)
    return result


def test_a_finished_row_is_one_multiple_ack() -> None:
    assert unsettled(1, 2, 3, 4).settle([(2, ACK), (1, ACK), (3, ACK)]) == [
        Settlement(ACK, 3, multiple=True)
    ]


def test_one_finished_delivery_is_acked_singly() -> None:
    assert unsettled(1, 2).settle([(1, ACK)]) == [Settlement(ACK, 1)]


def test_what_is_newer_than_unfinished_work_is_acked_singly() -> None:
    assert unsettled(1, 2, 3, 4).settle([(4, ACK), (3, ACK), (1, ACK)]) == [
        Settlement(ACK, 1), Settlement(ACK, 3), Settlement(ACK, 4)
    ]  # fmt: skip


def test_a_rejection_is_sent_before_an_ack_that_would_cover_it() -> None:
    assert unsettled(1, 2, 3).settle([(1, ACK), (2, REJECT), (3, ACK)]) == [
        Settlement(REJECT, 2), Settlement(ACK, 3, multiple=True)
    ]  # fmt: skip


def test_tags_that_never_reached_us_do_not_hold_up_the_row() -> None:
    assert unsettled(1, 5, 9).settle([(1, ACK), (5, ACK), (9, ACK)]) == [
        Settlement(ACK, 9, multiple=True)
    ]


def test_settling_twice_changes_nothing() -> None:
    state = unsettled(1, 2)
    assert state.settle([(1, ACK), (1, REJECT), (1, ACK)]) == [Settlement(ACK, 1)]
    assert state.settle([(1, ACK), (7, ACK)]) == []
    assert len(state) == 1


def test_acks_that_are_not_the_oldest_can_be_held_back() -> None:
    state = unsettled(1, 2, 3, 4)
    assert state.settle([(2, ACK), (3, ACK)], hold=True) == []
    assert (state.held, len(state)) == (2, 4)
    assert state.settle([(1, ACK)], hold=True) == [Settlement(ACK, 3, multiple=True)]
    assert (state.held, len(state)) == (0, 1)


def test_what_was_held_back_is_sent_in_the_end() -> None:
    state = unsettled(1, 2, 3)
    assert state.settle([(3, ACK)], hold=True) == []
    assert state.settle([(3, REJECT), (3, ACK)], hold=True) == []
    assert state.settle([]) == [Settlement(ACK, 3)]
    assert state.settle([]) == []


@given(st.data())
def test_every_delivery_gets_its_first_verdict_and_no_other(data: st.DataObject) -> None:
    broker, state = BrokerModel(), Unsettled()
    wanted: dict[int, Verdict] = {}
    next_tag = 1
    for _ in range(data.draw(st.integers(1, 8), label="rounds")):
        for _ in range(data.draw(st.integers(0, 8), label="deliveries")):
            next_tag += data.draw(st.integers(0, 2), label="gap")
            broker.deliver(next_tag)
            state.delivered(next_tag)
            next_tag += 1
        verdicts = data.draw(
            st.lists(st.tuples(st.integers(1, next_tag), st.sampled_from(Verdict)), max_size=20)
        )
        for tag, verdict in verdicts:
            if tag in broker.unacked or tag in broker.fate:
                wanted.setdefault(tag, verdict)
        hold = data.draw(st.booleans(), label="hold")
        for frame in state.settle(verdicts, hold=hold):
            broker.receive(frame)
        # Nothing without a verdict is touched.
        assert broker.fate.items() <= wanted.items()
        assert len(wanted) - len(broker.fate) == state.held
        assert len(state) == len(broker.unacked)
    for frame in state.settle([]):
        broker.receive(frame)
    # Nothing that got a verdict waits.
    assert broker.fate == wanted
    assert len(state) == len(broker.unacked)
