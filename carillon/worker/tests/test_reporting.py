"""Events out, and only then the acks."""

import threading
from collections.abc import Sequence

from carillon.broker.errors import BrokerBlocked, BrokerUnavailable, MessageRefused
from carillon.broker.messages import OutgoingMessage, PublishOutcome, PublishResult
from carillon.contracts.messages import decode_event
from carillon.testing.providers import delivery_job
from carillon.worker.hands import Hand
from carillon.worker.reporting import Report, Reporter
from carillon.worker.tests.doubles import done
from carillon.worker.tests.harness import eventually

CONFIRMED = PublishResult(PublishOutcome.CONFIRMED)


class ScriptedPublisher:
    """Answers windows from a script, then confirms everything."""

    def __init__(self, *script: list[PublishResult] | Exception) -> None:
        self.script = list(script)
        self.windows: list[list[OutgoingMessage]] = []
        self.hold = threading.Event()
        self.hold.set()

    def publish(
        self, messages: Sequence[OutgoingMessage], timeout: float = 30.0
    ) -> list[PublishResult]:
        self.windows.append(list(messages))
        self.hold.wait(60)
        if not self.script:
            return [CONFIRMED] * len(messages)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Desk:
    """Keeps what is settled and refused."""

    def __init__(self, publisher: ScriptedPublisher) -> None:
        self.settled: list[Hand] = []
        self.refused: list[Hand] = []
        self.reporter = Reporter(publisher, settle=self.settled.extend, refuse=self.refused.append)


def reports(count: int) -> list[Report]:
    jobs = [delivery_job() for _ in range(count)]
    return [
        Report(Hand(job, job.message_id, False), done(event_id=f"evt_{at}"))
        for at, job in enumerate(jobs)
    ]


def report_all(publisher: ScriptedPublisher, count: int) -> tuple[Desk, list[Report]]:
    desk, given = Desk(publisher), reports(count)
    for report in given:
        desk.reporter.put([report])
    desk.reporter.start()
    assert desk.reporter.close(timeout=60)
    return desk, given


def test_confirmed_events_settle_their_jobs() -> None:
    publisher = ScriptedPublisher()
    desk, given = report_all(publisher, 3)
    assert desk.settled == [report.hand for report in given]
    [window] = publisher.windows
    events = [decode_event(message.body) for message in window]
    assert [event.event_id for event in events] == ["evt_0", "evt_1", "evt_2"]
    assert [event.notification_id for event in events] == [
        report.hand.job.notification_id for report in given
    ]


def test_what_is_not_confirmed_is_published_again_and_not_settled_before() -> None:
    answers = [
        CONFIRMED,
        PublishResult(PublishOutcome.NACKED),
        PublishResult(PublishOutcome.RETURNED),
        PublishResult(PublishOutcome.UNKNOWN),
        PublishResult(PublishOutcome.UNSENT),
    ]
    publisher = ScriptedPublisher(answers)
    desk, given = report_all(publisher, 5)
    assert [len(window) for window in publisher.windows] == [5, 4]
    assert [hand.message_id for hand in desk.settled] == [
        report.hand.message_id for report in given
    ]


def test_a_broker_that_is_away_is_waited_for() -> None:
    publisher = ScriptedPublisher(BrokerUnavailable("away"), BrokerBlocked("low on memory"))
    desk, _ = report_all(publisher, 2)
    assert len(desk.settled) == 2
    assert len(publisher.windows) == 3


def test_a_message_that_amqp_cannot_carry_harms_only_itself() -> None:
    class Choosy(ScriptedPublisher):
        def publish(
            self, messages: Sequence[OutgoingMessage], timeout: float = 30.0
        ) -> list[PublishResult]:
            if any(message.message_id == "evt_2" for message in messages):
                raise MessageRefused("too long")
            return super().publish(messages, timeout)

    desk, given = report_all(Choosy(), 5)
    assert desk.refused == [given[2].hand]
    assert {hand.message_id for hand in desk.settled} == {
        report.hand.message_id for at, report in enumerate(given) if at != 2
    }


def test_closing_gives_up_in_time_and_says_so() -> None:
    publisher = ScriptedPublisher(*[BrokerUnavailable("away")] * 1000)
    desk = Desk(publisher)
    desk.reporter.start()
    desk.reporter.put(reports(1))
    assert not desk.reporter.close(timeout=0.5)
    assert desk.settled == []
    assert desk.reporter.pending == 1
    eventually(lambda: not desk.reporter.alive, "its thread ends")


def test_events_that_come_meanwhile_share_a_window() -> None:
    publisher = ScriptedPublisher()
    publisher.hold.clear()
    desk = Desk(publisher)
    desk.reporter.start()
    for report in reports(10):
        desk.reporter.put([report])
    publisher.hold.set()
    assert desk.reporter.close(timeout=60)
    assert len(desk.settled) == 10
    assert len(publisher.windows) <= 2
