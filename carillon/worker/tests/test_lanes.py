"""Who takes what from a channel's queues."""

import threading

import pytest

from carillon.contracts.lanes import Lane
from carillon.worker.lanes import LaneQueues


@pytest.fixture
def queues() -> LaneQueues[str]:
    return LaneQueues()


def test_a_reserved_crew_takes_from_its_lane_alone(queues: LaneQueues[str]) -> None:
    queues.putter(Lane.BULK)("bulk")
    assert queues.take(queues.reserved[Lane.HIGH], wait=False) is None
    assert queues.take(queues.reserved[Lane.NORMAL], wait=False) is None
    assert queues.take(queues.reserved[Lane.BULK], wait=False) == "bulk"


def test_the_shared_crew_takes_the_most_urgent_first(queues: LaneQueues[str]) -> None:
    for lane in (Lane.BULK, Lane.NORMAL, Lane.HIGH):
        queues.putter(lane)(lane.value)
    taken = [queues.take(queues.shared, wait=False) for _ in range(3)]
    assert taken == ["high", "normal", "bulk"]


def test_a_lane_is_served_in_order(queues: LaneQueues[str]) -> None:
    put = queues.putter(Lane.NORMAL)
    for number in range(5):
        put(str(number))
    queues.put_back(Lane.NORMAL, "again")
    taken = [queues.take(queues.shared, wait=False) for _ in range(6)]
    assert taken == ["again", "0", "1", "2", "3", "4"]


def test_two_items_wake_two_threads(queues: LaneQueues[str]) -> None:
    taken: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: taken.append(queues.take(queues.shared, wait=True)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    while queues.shared.idle < 2:
        threading.Event().wait(0.001)
    put = queues.putter(Lane.BULK)
    put("one")
    put("two")
    for thread in threads:
        thread.join(5)
    assert sorted(taken, key=str) == ["one", "two"]


def test_an_item_wakes_a_thread_that_may_take_it(queues: LaneQueues[str]) -> None:
    taken: list[str | None] = []
    crews = [queues.reserved[Lane.HIGH], queues.reserved[Lane.BULK]]
    threads = [
        threading.Thread(target=lambda crew=crew: taken.append(queues.take(crew, wait=True)))
        for crew in crews
    ]
    for thread in threads:
        thread.start()
    while any(crew.idle == 0 for crew in crews):
        threading.Event().wait(0.001)
    queues.putter(Lane.BULK)("bulk")
    threads[1].join(5)
    assert taken == ["bulk"]
    queues.close()
    threads[0].join(5)
    assert taken == ["bulk", None]


def test_closed_queues_give_out_what_they_hold(queues: LaneQueues[str]) -> None:
    queues.putter(Lane.HIGH)("left")
    queues.close()
    assert queues.take(queues.shared, wait=True) == "left"
    assert queues.take(queues.shared, wait=True) is None


def test_draining_takes_everything(queues: LaneQueues[str]) -> None:
    queues.putter(Lane.HIGH)("a")
    queues.putter(Lane.BULK)("b")
    assert len(queues) == 2
    assert queues.drain() == ["a", "b"]
    assert len(queues) == 0


def test_many_threads_lose_and_repeat_nothing(queues: LaneQueues[str]) -> None:
    taken: list[str] = []

    def work(lane: Lane | None) -> None:
        crew = queues.shared if lane is None else queues.reserved[lane]
        while (item := queues.take(crew, wait=True)) is not None:
            taken.append(item)

    threads = [
        threading.Thread(target=work, args=(lane,))
        for lane in (*Lane, None, None)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    put = {lane: queues.putter(lane) for lane in Lane}
    expected = [f"{lane}-{number}" for number in range(1000) for lane in Lane]
    for item in expected:
        put[Lane(item.partition("-")[0])](item)
    queues.close()
    for thread in threads:
        thread.join(20)
    assert sorted(taken) == sorted(expected)
