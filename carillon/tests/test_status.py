"""The state machine."""

from carillon.contracts.status import ENDS, MOVES, Status, may_move, origins_of


def test_every_status_is_in_the_table() -> None:
    assert set(MOVES) == set(Status)


def test_an_end_is_final() -> None:
    assert {status for status, targets in MOVES.items() if not targets} == ENDS


def test_every_status_can_reach_an_end() -> None:
    for status in Status:
        seen, waiting = set(), [status]
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting.extend(MOVES[current])
        assert seen & ENDS, status


def test_nothing_moves_to_itself_but_between_attempts() -> None:
    loops = {status for status in Status if may_move(status, status)}
    assert loops == {Status.RETRYING}


def test_nothing_goes_back_to_the_start() -> None:
    assert origins_of(Status.SCHEDULED) == ()
    assert origins_of(Status.ACCEPTED) == (Status.SCHEDULED,)


def test_what_is_queued_or_sent_cannot_be_cancelled() -> None:
    assert set(origins_of(Status.CANCELLED)) == {
        Status.SCHEDULED,
        Status.ACCEPTED,
        Status.RETRYING,
    }


def test_an_outcome_may_overtake_the_relay() -> None:
    assert may_move(Status.ACCEPTED, Status.DELIVERED)
    assert not may_move(Status.DELIVERED, Status.QUEUED)
