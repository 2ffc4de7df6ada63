"""The inbox hands out what is still ours, singly or in batches, and never waits for ever."""

import threading
import time

from carillon.broker.delivery import Delivery, Inbox
from carillon.broker.settling import Verdict


class FakeLease:
    def __init__(self, *, alive: bool = True) -> None:
        self.alive = alive

    def settle(self, tags: list[int], verdict: Verdict, *, now: bool = False) -> None:
        raise AssertionError("an inbox settles nothing")


def delivery(tag: int, lease: FakeLease) -> Delivery:
    return Delivery(
        queue="q", body=b"", message_id=str(tag), correlation_id="", traceparent="", headers={},
        redelivered=False, delivery_count=0, tag=tag, lease=lease,
    )  # fmt: skip


def test_deliveries_come_out_in_their_order_and_stale_ones_not_at_all() -> None:
    inbox, living, dead = Inbox(), FakeLease(), FakeLease(alive=False)
    for tag, lease in ((1, living), (2, dead), (3, dead), (4, living)):
        inbox.put(delivery(tag, lease))
    assert [one.tag for one in (inbox.get(0), inbox.get(0)) if one is not None] == [1, 4]
    assert inbox.get(0) is None


def test_a_batch_ends_when_it_is_full() -> None:
    inbox, lease = Inbox(), FakeLease()
    for tag in range(5):
        inbox.put(delivery(tag, lease))
    assert [one.tag for one in inbox.collect(3, within=60)] == [0, 1, 2]
    assert len(inbox) == 2


def test_a_batch_ends_when_its_time_is_up() -> None:
    inbox = Inbox()
    inbox.put(delivery(1, FakeLease()))
    assert [one.tag for one in inbox.collect(100, within=0.05)] == [1]


def test_a_batch_takes_what_comes_after_its_first() -> None:
    inbox, lease = Inbox(), FakeLease()

    def come_late() -> None:
        time.sleep(0.05)
        for tag in (1, 2):
            inbox.put(delivery(tag, lease))

    latecomer = threading.Thread(target=come_late)
    latecomer.start()
    batch = inbox.collect(2, within=60, timeout=60)
    latecomer.join()
    assert [one.tag for one in batch] == [1, 2]


def test_without_deliveries_there_is_no_batch() -> None:
    assert Inbox().collect(10, within=1, timeout=0.01) == []


def test_draining_takes_everything_that_is_still_ours() -> None:
    inbox, living, dead = Inbox(), FakeLease(), FakeLease(alive=False)
    for tag, lease in ((1, living), (2, dead), (3, living)):
        inbox.put(delivery(tag, lease))
    assert [one.tag for one in inbox.drain()] == [1, 3]
    assert len(inbox) == 0
