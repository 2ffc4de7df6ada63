"""Who takes what from a channel's queues, and how much."""

import threading
from collections.abc import Sequence

import pytest

from carillon.contracts.lanes import Lane
from carillon.worker.lanes import (
    LONGEST_REST_SECONDS,
    REST_SHARE,
    URGENT_SECONDS,
    Crew,
    LaneQueues,
)
from carillon.worker.tests.doubles import Clock
from carillon.worker.tests.harness import WAIT_SECONDS, eventually

PLACES = 4


@pytest.fixture
def queues() -> LaneQueues[str]:
    return LaneQueues(PLACES)


def fill(queues: LaneQueues[str], lane: Lane, items: Sequence[str]) -> None:
    put = queues.putter(lane)
    for item in items:
        put(item)


def taken(
    queues: LaneQueues[str], crew: Crew, *, wait: bool = False, held: int = 0
) -> list[str] | None:
    """What a thread takes that gives its places back at once."""
    load = queues.take(crew, wait=wait, held=held)
    if load is None:
        return None
    queues.give_back(max(load.places, held))
    return load.items


def wait_idle(*crews: Crew, threads: int = 1) -> None:
    while any(crew.idle < threads for crew in crews):
        threading.Event().wait(0.001)


def test_a_reserved_crew_takes_from_its_lane_alone(queues: LaneQueues[str]) -> None:
    fill(queues, Lane.BULK, ["bulk"])
    assert taken(queues, queues.reserved[Lane.HIGH]) is None
    assert taken(queues, queues.reserved[Lane.NORMAL]) is None
    assert taken(queues, queues.reserved[Lane.BULK]) == ["bulk"]


def test_the_shared_crew_takes_the_most_urgent_first(queues: LaneQueues[str]) -> None:
    for lane in (Lane.BULK, Lane.NORMAL, Lane.HIGH):
        fill(queues, lane, [lane.value])
    assert [taken(queues, queues.shared) for _ in range(3)] == [["high"], ["normal"], ["bulk"]]


def test_a_lane_is_served_in_order(queues: LaneQueues[str]) -> None:
    fill(queues, Lane.NORMAL, "01234")
    queues.put_back(Lane.NORMAL, "again")
    found = [taken(queues, queues.shared) for _ in range(6)]
    assert found == [["again"], ["0"], ["1"], ["2"], ["3"], ["4"]]


@pytest.mark.parametrize("most", [1, 8])
def test_two_items_wake_two_threads_unless_one_takes_both(
    queues: LaneQueues[str], most: int
) -> None:
    queues.most = most
    found: list[list[str] | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(taken(queues, queues.shared, wait=True)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    wait_idle(queues.shared, threads=2)
    with queues.shared.work:
        # Both are there before a thread can look.
        queues._queues[Lane.BULK].extend(["one", "two"])
        queues._wake(Lane.BULK)
        queues._wake(Lane.BULK)
    if most > 1:
        # Whichever of the two it is.
        eventually(lambda: len(found) == 1, "one has both")
        queues.close()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    expected = [["one"], ["two"]] if most == 1 else [None, ["one", "two"]]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_an_item_wakes_a_thread_that_may_take_it(queues: LaneQueues[str]) -> None:
    found: list[list[str] | None] = []
    crews = [queues.reserved[Lane.HIGH], queues.reserved[Lane.BULK]]
    threads = [
        threading.Thread(target=lambda crew=crew: found.append(taken(queues, crew, wait=True)))
        for crew in crews
    ]
    for thread in threads:
        thread.start()
    wait_idle(*crews)
    fill(queues, Lane.BULK, ["bulk"])
    threads[1].join(WAIT_SECONDS)
    assert found == [["bulk"]]
    queues.close()
    threads[0].join(WAIT_SECONDS)
    assert found == [["bulk"], None]


def test_closed_queues_give_out_what_they_hold(queues: LaneQueues[str]) -> None:
    fill(queues, Lane.HIGH, ["left"])
    queues.close()
    assert taken(queues, queues.shared, wait=True) == ["left"]
    assert taken(queues, queues.shared, wait=True) is None


def test_draining_takes_everything(queues: LaneQueues[str]) -> None:
    fill(queues, Lane.HIGH, "a")
    fill(queues, Lane.BULK, "b")
    assert len(queues) == 2
    assert queues.drain() == ["a", "b"]
    assert len(queues) == 0


def test_several_at_once_have_the_places_of_the_shared_crew(queues: LaneQueues[str]) -> None:
    """There are never more jobs taken than there are threads."""
    queues.most = 100
    fill(queues, Lane.NORMAL, [str(number) for number in range(20)])
    load = queues.take(queues.reserved[Lane.NORMAL], wait=False)
    assert load is not None
    assert (len(load.items), load.places) == (1 + PLACES, PLACES)
    assert queues.take(queues.shared, wait=False) is None
    queues.give_back(load.places)
    shared = queues.take(queues.shared, wait=False)
    assert shared is not None
    assert (len(shared.items), shared.places) == (PLACES, PLACES)


def test_what_a_thread_holds_counts_for_what_it_takes_next(queues: LaneQueues[str]) -> None:
    queues.most = 100
    fill(queues, Lane.NORMAL, [str(number) for number in range(20)])
    crew = queues.reserved[Lane.NORMAL]
    first = queues.take(crew, wait=False)
    assert first is not None
    second = queues.take(crew, wait=False, held=first.places)
    assert second is not None
    assert len(second.items) == 1 + PLACES


def test_places_are_left_to_what_is_more_urgent(queues: LaneQueues[str]) -> None:
    queues.most = 100
    fill(queues, Lane.NORMAL, "0123456789")
    fill(queues, Lane.HIGH, ["urgent"])
    assert taken(queues, queues.reserved[Lane.NORMAL], held=3) == ["0"]


def test_a_thread_that_waits_for_a_place_gets_it(queues: LaneQueues[str]) -> None:
    queues.most = 100
    fill(queues, Lane.NORMAL, "0123456789")
    load = queues.take(queues.reserved[Lane.NORMAL], wait=False)
    assert load is not None
    found: list[list[str] | None] = []
    thread = threading.Thread(target=lambda: found.append(taken(queues, queues.shared, wait=True)))
    thread.start()
    wait_idle(queues.shared)
    fill(queues, Lane.HIGH, ["urgent"])
    assert found == []
    queues.give_back(load.places)
    thread.join(WAIT_SECONDS)
    assert found == [["urgent"]]


def test_a_thread_that_waits_for_a_place_ends_when_nothing_is_left(
    queues: LaneQueues[str],
) -> None:
    queues.most = 100
    fill(queues, Lane.NORMAL, "0123456789")
    load = queues.take(queues.reserved[Lane.NORMAL], wait=False)
    assert load is not None
    found: list[list[str] | None] = []
    thread = threading.Thread(target=lambda: found.append(taken(queues, queues.shared, wait=True)))
    thread.start()
    wait_idle(queues.shared)
    queues.close()
    assert queues.drain() == list("56789")
    queues.give_back(load.places)
    thread.join(WAIT_SECONDS)
    assert found == [None]


@pytest.mark.parametrize("most", [1, 3, 8])
def test_many_threads_lose_and_repeat_nothing(queues: LaneQueues[str], most: int) -> None:
    queues.most = most
    found: list[str] = []

    def work(lane: Lane | None) -> None:
        crew = queues.shared if lane is None else queues.reserved[lane]
        while (items := taken(queues, crew, wait=True)) is not None:
            found.extend(items)

    threads = [
        threading.Thread(target=work, args=(lane,))
        for lane in (*Lane, None, None)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    expected = [f"{lane}-{number}" for number in range(1000) for lane in Lane]
    put = {lane: queues.putter(lane) for lane in Lane}
    for item in expected:
        put[Lane(item.partition("-")[0])](item)
    while len(queues):
        threading.Event().wait(0.001)
    queues.close()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(found) == sorted(expected)


def test_quick_bulk_leaves_the_processors_to_what_is_urgent_while_it_comes() -> None:
    clock = Clock()
    queues: LaneQueues[str] = LaneQueues(PLACES, clock=clock)
    queues.most = 8
    fill(queues, Lane.BULK, "0123456789")
    fill(queues, Lane.HIGH, ["urgent"])
    assert taken(queues, queues.shared) == ["urgent"]
    assert taken(queues, queues.shared) is None
    assert taken(queues, queues.reserved[Lane.BULK]) == [*"01234"]
    clock.advance(URGENT_SECONDS)
    assert taken(queues, queues.shared) == [*"5678"]


def test_where_calls_wait_for_a_provider_bulk_gives_no_way(queues: LaneQueues[str]) -> None:
    fill(queues, Lane.BULK, "0")
    fill(queues, Lane.HIGH, ["urgent"])
    assert taken(queues, queues.shared) == ["urgent"]
    assert taken(queues, queues.shared) == ["0"]
    assert queues.rest_after(queues.reserved[Lane.BULK], 1.0) == 0


def test_reserved_threads_rest_for_a_share_of_their_turn_while_the_urgent_comes() -> None:
    clock = Clock()
    queues: LaneQueues[str] = LaneQueues(PLACES, clock=clock)
    queues.most = 8
    bulk = queues.reserved[Lane.BULK]
    assert queues.rest_after(bulk, 0.01) == 0
    fill(queues, Lane.HIGH, ["urgent"])
    assert queues.rest_after(bulk, 0.01) == pytest.approx(0.01 * REST_SHARE)
    assert queues.rest_after(queues.reserved[Lane.NORMAL], 60.0) == LONGEST_REST_SECONDS
    assert queues.rest_after(queues.reserved[Lane.HIGH], 0.01) == 0
    assert queues.rest_after(queues.shared, 0.01) == 0
    clock.advance(URGENT_SECONDS)
    assert queues.rest_after(bulk, 0.01) == 0


def test_closed_queues_give_no_way() -> None:
    queues: LaneQueues[str] = LaneQueues(PLACES, clock=Clock())
    queues.most = 8
    fill(queues, Lane.HIGH, ["urgent"])
    fill(queues, Lane.BULK, "0")
    queues.close()
    assert taken(queues, queues.shared) == ["urgent"]
    assert taken(queues, queues.shared) == ["0"]
    assert queues.rest_after(queues.reserved[Lane.BULK], 1.0) == 0
