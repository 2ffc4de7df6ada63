"""Several jobs through one provider, in one turn of a thread.

For a provider that takes a message in less time than it takes to wake a thread: one trip to Redis
writes the markers of all, and the provider may send them in one stream. Everything that is not
plain sailing (a marker of somebody else, an expired job, a rate limit, a breaker that probes) is
left to the way that jobs go singly.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from carillon.contracts.messages import DeliveryJob, Mode
from carillon.contracts.provider import Acceptance, Provider
from carillon.errors import DeliveryFailure
from carillon.observability import tracing
from carillon.worker import metrics
from carillon.worker.admission import Send
from carillon.worker.bench import Bench
from carillon.worker.devices import is_for_devices
from carillon.worker.hands import Hand
from carillon.worker.outcomes import accepted
from carillon.worker.pace import SLOW_SECONDS
from carillon.worker.redis_link import RedisUnavailable
from carillon.worker.routing import Choice, ProviderOrder, in_trouble
from carillon.worker.sending import Answered, Sender, defect_of
from carillon.worker.unwritten import Unwritten

Answer = Acceptance | DeliveryFailure
SendInTurn = Callable[[Sequence[DeliveryJob]], Iterator[Answer]]


def is_plain(hand: Hand) -> bool:
    """Whether the job may go with others: nobody began it before, as far as can be told here."""
    job = hand.job
    return (
        not hand.redelivered
        and not hand.begun_at
        and not hand.stale
        and job.mode is Mode.LIVE
        and not job.avoid
        and not is_for_devices(job)
        and not tracing.is_on()
    )


def in_turn(provider: Provider) -> SendInTurn | None:
    """The provider's way to do several jobs, if it is a TurnProvider."""
    return getattr(provider, "send_in_turn", None)


Flight = list[tuple[Hand, Answer, Answered]]
"""The jobs that were called, and what came of each."""


class Volley:
    """One turn. `untouched` are the jobs that are to be worked on singly.

    `unfinished` are those that were begun and have no outcome, should the turn end in a defect.
    """

    def __init__(self, bench: Bench, unwritten: Unwritten, hands: Sequence[Hand]) -> None:
        """`hands` are plain, and of one lane."""
        self._bench = bench
        self._unwritten = unwritten
        self.untouched = list(hands)
        self.unfinished: list[Hand] = []

    def send(self) -> None:
        """Send those that may go together."""
        if len(self.untouched) < 2:
            return
        first = self.untouched[0]
        order = self._bench.order_for(first.job, self._unwritten.write)
        try:
            together = [hand for hand in self.untouched if self._goes_with(hand, first, order)]
            chosen = self._choose(order, first) if len(together) > 1 else None
            if chosen is None:
                return
            with self._bench.isolation.together(before_waiting=self._unwritten.write):
                self._begin(together)
                if self.unfinished:
                    self._call(order, *chosen)
        finally:
            order.give_back()

    def _goes_with(self, hand: Hand, first: Hand, order: ProviderOrder) -> bool:
        if hand.job.organization_id == first.job.organization_id:
            return True
        other = self._bench.order_for(hand.job, self._unwritten.write)
        other.give_back()
        return other is order

    @staticmethod
    def _choose(order: ProviderOrder, hand: Hand) -> tuple[Choice, SendInTurn] | None:
        """A provider that takes several, at its ease: without a rate limit, and no probe."""
        if any(member.limit is not None for member in order.members):
            return None
        choice = order.choose(hand.job.lane)
        if not isinstance(choice, Choice):
            return None
        send = in_turn(choice.member.provider)
        if choice.permit.probe or send is None:
            choice.member.breaker.abandon(choice.permit)
            return None
        return choice, send

    def _begin(self, hands: Sequence[Hand]) -> None:
        """Write the markers; what nobody had begun, and may be sent, is `unfinished` from here."""
        bench = self._bench
        at = bench.now().timestamp()
        for hand in hands:
            hand.begun_at = at
        try:
            markers = self._unwritten.begin([hand.message_id for hand in hands], at)
        except RedisUnavailable:
            return
        for hand, marker in zip(hands, markers, strict=True):
            if marker is None and isinstance(bench.admission.decide(hand, None), Send):
                self.untouched.remove(hand)
                self.unfinished.append(hand)

    def _call(self, order: ProviderOrder, choice: Choice, send: SendInTurn) -> None:
        ready = list(self.unfinished)
        lane = metrics.lane_metrics(ready[0].job.channel, ready[0].job.lane.value)
        lane.in_flight.inc(len(ready))
        try:
            flight = self._fly(ready, order, choice, send)
        finally:
            lane.in_flight.dec(len(ready))
        for hand, _, how in flight:
            self._unwritten.tally.called(choice.name, hand.job, how)
        self._turn_back(ready[len(flight) :])
        self._finish_failed(flight, order, choice)

    def _fly(
        self, ready: list[Hand], order: ProviderOrder, choice: Choice, send: SendInTurn
    ) -> Flight:
        """Call the provider until all jobs are done, or one shows that it is in trouble."""
        flight: Flight = []
        answers = send([hand.job for hand in ready])
        now = self._bench.now()
        for hand in ready:
            started_at = now
            began = time.perf_counter()
            heard: Answer | None
            try:
                answer = heard = next(answers, None)
                if answer is None:
                    break
            except DeliveryFailure as failure:
                # Raised rather than given: it has nothing to say of the others.
                answer = heard = failure
                answers = iter(())
            except Exception as defect:  # noqa: BLE001  a provider's bug must not stop the lane
                answer, heard = defect_of(hand.job, choice, defect), None
            seconds, now = time.perf_counter() - began, self._bench.now()
            order.heard(choice, heard)
            flight.append((hand, answer, Answered(started_at, began, seconds, heard)))
            if isinstance(answer, Acceptance):
                self._accepted(hand, choice, answer, (started_at, now), seconds)
            if heard is None or (isinstance(heard, DeliveryFailure) and in_trouble(heard)):
                break
            self._bench.pace.heard(seconds)
            if seconds > SLOW_SECONDS:
                break
        close: Callable[[], None] | None = getattr(answers, "close", None)
        if close is not None:
            close()
        return flight

    def _accepted(
        self,
        hand: Hand,
        choice: Choice,
        answer: Acceptance,
        times: tuple[datetime, datetime],
        seconds: float,
    ) -> None:
        self.unfinished.remove(hand)
        done = accepted(
            choice.name,
            answer.provider_message_id,
            choice.outcome,
            started_at=times[0],
            occurred_at=times[1],
            duration_ms=round(seconds * 1000, 3),
            possible_duplicate=False,
        )
        self._unwritten.add(hand, done)

    def _turn_back(self, hands: list[Hand]) -> None:
        """What was marked and not called is as if nobody had begun it."""
        if not hands:
            return
        for hand in hands:
            self.unfinished.remove(hand)
        self._unwritten.write()
        try:
            self._bench.ledger.withdraw([hand.message_id for hand in hands], hands[0].begun_at)
        except RedisUnavailable:
            # The marker stays, and is known as ours by its time.
            pass
        else:
            for hand in hands:
                hand.begun_at = 0.0
        for hand in hands:
            self._bench.park(hand, 0.0)

    def _finish_failed(self, flight: Flight, order: ProviderOrder, choice: Choice) -> None:
        """Stand-ins for what the provider did not take, each as if it had been called alone."""
        sender = Sender(order, now=self._bench.now)
        for hand, answer, how in flight:
            if isinstance(answer, DeliveryFailure):
                self._unwritten.write()
                done = sender.send(hand.job, choice, answered=(answer, how))
                self.unfinished.remove(hand)
                self._unwritten.add(hand, done)
