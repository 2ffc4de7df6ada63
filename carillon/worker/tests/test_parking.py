"""Jobs that wait."""

import queue
import time

import pytest

from carillon.worker.parking import Parking


def test_items_come_back_when_their_time_has_come() -> None:
    back: queue.SimpleQueue[str] = queue.SimpleQueue()
    parking = Parking(back.put)
    parking.start()
    began = time.monotonic()
    parking.park("late", 0.2)
    parking.park("soon", 0.05)
    assert back.get(timeout=60) == "soon"
    assert back.get(timeout=60) == "late"
    assert time.monotonic() - began >= 0.2
    assert parking.close() == []


def test_closing_returns_what_waits() -> None:
    parking: Parking[str] = Parking(lambda _item: pytest.fail("given back after closing"))
    parking.start()
    parking.park("a", 60)
    parking.park("b", 30)
    assert len(parking) == 2
    assert sorted(parking.close()) == ["a", "b"]
    assert not parking.alive
    assert parking.close() == []
