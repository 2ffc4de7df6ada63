"""Many calls at once, or one alone."""

import threading

from carillon.worker.isolation import Isolation


def nothing() -> None:
    """Nothing to do before waiting."""


def test_one_alone_waits_for_all_and_lets_nobody_in() -> None:
    isolation = Isolation()
    events: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def beside() -> None:
        with isolation.together(nothing):
            inside.set()
            leave.wait(60)
            events.append("first ended")

    def alone() -> None:
        with isolation.alone():
            events.append("alone")

    def late() -> None:
        with isolation.together(lambda: events.append("wrote before waiting")):
            events.append("late")

    threads = [threading.Thread(target=beside), threading.Thread(target=alone)]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    while not isolation._alone:
        threading.Event().wait(0.001)
    threads.append(threading.Thread(target=late))
    threads[2].start()
    while "wrote before waiting" not in events:
        threading.Event().wait(0.001)
    leave.set()
    for thread in threads:
        thread.join(60)
    assert events == ["wrote before waiting", "first ended", "alone", "late"]


def test_calls_are_beside_each_other() -> None:
    isolation = Isolation()
    meeting = threading.Barrier(4, timeout=60)

    def call() -> None:
        with isolation.together(nothing):
            meeting.wait()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not meeting.broken


def test_those_alone_are_one_at_a_time_even_if_one_fails() -> None:
    isolation = Isolation()
    inside, most = 0, 0

    def call() -> None:
        nonlocal inside, most
        try:
            with isolation.alone():
                inside += 1
                most = max(most, inside)
                threading.Event().wait(0.005)
                inside -= 1
                raise RuntimeError
        except RuntimeError:
            return

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == 1
    with isolation.together(nothing):
        pass
