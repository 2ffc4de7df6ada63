"""A worker thread: takes a delivery, decides, calls the provider, hands the outcome on."""

import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from carillon.broker.delivery import Delivery
from carillon.contracts.messages import (
    DeliveryJob,
    DeviceResult,
    UnreadableMessage,
    decode_job,
)
from carillon.observability import tracing
from carillon.worker import metrics
from carillon.worker.admission import Admitted, Send, Settle, Suspect, Wait
from carillon.worker.bench import Bench, Work
from carillon.worker.dedupe import Done
from carillon.worker.devices import DeviceRound, is_for_devices
from carillon.worker.hands import Hand
from carillon.worker.lanes import Crew, Load
from carillon.worker.outcomes import after_defect, deferred_for
from carillon.worker.redis_link import RedisUnavailable
from carillon.worker.routing import Choice, ProviderOrder, passed_over
from carillon.worker.sending import Sender
from carillon.worker.telling import call_in_flight
from carillon.worker.unwritten import Unwritten
from carillon.worker.volley import Volley, in_turn, is_plain

log = structlog.get_logger(__name__)

# A provider that is away for longer gets its jobs back through the outbox, not from here.
LONGEST_PARK_SECONDS = 60.0
NAP_SECONDS = 0.5


class CrewMember(threading.Thread):
    """Works until the queues are closed and empty, or `stop_soon`.

    The outcomes of one turn are written to Redis together with the next jobs' markers, in one
    round trip, where there are next jobs; they are never held back while the thread waits.
    """

    def __init__(self, bench: Bench, crew: Crew, number: int) -> None:
        super().__init__(name=f"{bench.channel}-{crew.name}-{number}", daemon=True)
        self._bench = bench
        self._crew = crew
        self._unwritten = Unwritten(bench.channel, bench.ledger, bench.report, self._leave_places)
        self._held = 0
        self._needed = 0
        self._stopping = threading.Event()
        self.busy_since = 0.0
        """Monotonic time at which the thread began its present job; 0 while it has none."""

    def stop_soon(self) -> None:
        """Begin nothing more; what is under way is finished."""
        self._stopping.set()

    def run(self) -> None:
        """The thread's life."""
        while not self._stopping.is_set():
            load = self._bench.queues.take(self._crew, wait=not self._unwritten, held=self._held)
            if load is not None:
                self._handle_all(load)
            elif self._unwritten:
                self._unwritten.write()
            else:
                return
        self._unwritten.write()

    def _handle_all(self, load: Load[Work]) -> None:
        """What is not yet written keeps its places: a crash would repeat it."""
        self._needed = load.places
        self._held = max(self._held, load.places)
        began = time.monotonic()
        works = load.items if len(load.items) == 1 else self._together(load.items)
        for work in works:
            self._handle(work)
        self._needed = 0
        rest = self._bench.queues.rest_after(self._crew, time.monotonic() - began)
        if rest:
            self._unwritten.write()
            self._stopping.wait(rest)
        if not self._unwritten:
            self._unwritten.tally.count()
            self._leave_places()

    def _leave_places(self) -> None:
        """Nothing is unwritten."""
        spare, self._held = self._held - self._needed, self._needed
        if spare > 0:
            self._bench.queues.give_back(spare)

    def _together(self, works: list[Work]) -> list[Work]:
        """Send what may go together; what is left to be worked on singly."""
        self.busy_since = time.monotonic()
        left: list[Hand] = []
        plain: list[Hand] = []
        for work in works:
            if isinstance(work, Hand):
                left.append(work)
                continue
            try:
                hand = self._grasp(work)
            except Exception as defect:  # noqa: BLE001  a bug of ours must not stop the lane
                self._defect(work, None, defect)
                continue
            if hand is not None:
                known = self._bench.ledger.recall(hand.message_id) is not None
                (left if known or not is_plain(hand) else plain).append(hand)
        volley = Volley(self._bench, self._unwritten, plain)
        try:
            volley.send()
        except Exception as defect:  # noqa: BLE001  a bug of ours must not stop the lane
            for hand in volley.unfinished:
                self._defect(hand, hand, defect)
        self.busy_since = 0.0
        return self._singles([*volley.untouched, *left])

    def _singles(self, hands: list[Hand]) -> list[Work]:
        """Of jobs that cannot go together, those for this thread: other threads get the rest."""
        if len(hands) < 2:
            return [*hands]
        self._bench.pace.mixed()
        mine = [hand for hand in hands if hand.begun_at] or hands[:1]
        for hand in hands:
            if hand not in mine:
                self._bench.park(hand, 0.0)
        return [*mine]

    def _handle(self, work: Work) -> None:
        self.busy_since = time.monotonic()
        hand: Hand | None = None
        try:
            hand = work if isinstance(work, Hand) else self._grasp(work)
            if hand is not None:
                self._work_on(hand)
        except Exception as defect:  # noqa: BLE001  a bug of ours must not stop the lane
            self._defect(work, hand, defect)
        finally:
            self.busy_since = 0.0

    def _grasp(self, delivery: Delivery) -> Hand | None:
        try:
            job = decode_job(delivery.body)
        except UnreadableMessage as error:
            self._poison(delivery, "unreadable", str(error))
            return None
        if job.channel != self._bench.channel:
            self._poison(delivery, "foreign", f"a job for channel {job.channel!r}")
            return None
        hand = self._bench.hands.grasp(job, delivery)
        if hand is None:
            metrics.DEDUPE_HITS.labels(self._bench.channel, "joined").inc()
        return hand

    def _work_on(self, hand: Hand) -> None:
        if hand.stale:
            self._bench.hands.let_go(hand)
            return
        known = self._bench.ledger.recall(hand.message_id)
        if known is not None:
            self._settle(hand, Settle(known, found="recalled"))
            return
        order = self._bench.order_for(hand.job, self._unwritten.write)
        try:
            suspect = self._try(hand, order)
        finally:
            order.give_back()
        if suspect:
            self._work_on_alone(hand)

    def _try(self, hand: Hand, order: ProviderOrder) -> bool:
        """Send, settle or park the job; True where it is to be worked on alone."""
        choice = self._choose(hand, order)
        if not isinstance(choice, Choice) and choice <= LONGEST_PARK_SECONDS:
            self._park(hand, Wait(choice, "provider"))
            return False
        if hand.alone:
            admitted = self._begin(hand, order, choice)
        else:
            with self._bench.isolation.together(before_waiting=self._unwritten.write):
                admitted = self._begin(hand, order, choice)
        return isinstance(admitted, Suspect)

    def _work_on_alone(self, hand: Hand) -> None:
        log.warning("a job was there when its workers stopped", message_id=hand.message_id)
        with self._bench.isolation.alone():
            hand.alone = True
            try:
                self._work_on(hand)
                # The next job may begin only when nothing is left to lose of this one.
                self._unwritten.write()
            finally:
                hand.alone = False

    def _begin(self, hand: Hand, order: ProviderOrder, choice: Choice | float) -> Admitted:
        """Settle or send the job, as its marker says."""
        admitted = self._admit(hand)
        if isinstance(admitted, Send) and isinstance(choice, Choice):
            self._send(hand, order, choice, admitted)
            return admitted
        if isinstance(choice, Choice):
            choice.member.breaker.abandon(choice.permit)
        self._without_sending(hand, admitted, choice)
        return admitted

    def _choose(self, hand: Hand, order: ProviderOrder) -> Choice | float:
        """The provider to call; a short wait for its rate limit is slept through here.

        Were the job parked instead, all jobs of the prefetch would come back for the one token.
        """
        choice = _first_choice(order, hand.job)
        while isinstance(choice, float) and choice <= NAP_SECONDS and not self._stopping.is_set():
            self._unwritten.write()
            self._stopping.wait(choice)
            choice = _first_choice(order, hand.job)
        return choice

    def _admit(self, hand: Hand) -> Admitted:
        """Write the marker, and with it the outcomes that were held back."""
        bench = self._bench
        hand.begun_at = hand.begun_at or bench.now().timestamp()
        try:
            found = self._unwritten.begin((hand.message_id,), hand.begun_at)[0]
            return bench.admission.decide(hand, found)
        except RedisUnavailable:
            return bench.admission.without_redis(hand)

    def _send(self, hand: Hand, order: ProviderOrder, choice: Choice, admitted: Send) -> None:
        job, bench = hand.job, self._bench
        if admitted.unmarked:
            metrics.UNMARKED.labels(job.channel).inc()
        if admitted.possible_duplicate:
            metrics.DEDUPE_HITS.labels(job.channel, "started").inc()
            metrics.POSSIBLE_DUPLICATES.labels(job.channel).inc()
        sender = Sender(order, now=bench.now)
        with tracked(hand), call_in_flight(job, bench.now()):
            if is_for_devices(job):
                done = DeviceRound(
                    order,
                    sender,
                    record=lambda settled: self._record(hand, admitted, settled),
                    nap=self._nap,
                ).send(
                    job,
                    choice,
                    admitted.settled,
                    possible_duplicate=admitted.possible_duplicate,
                )
            else:
                done = sender.send(job, choice, possible_duplicate=admitted.possible_duplicate)
        if in_turn(choice.member.provider) is not None:
            bench.pace.heard(done.duration_ms / 1000)
        self._finish(hand, done)

    def _record(self, hand: Hand, admitted: Send, settled: tuple[DeviceResult, ...]) -> None:
        """Write which devices are done; without Redis only this process knows, until it ends."""
        if admitted.unmarked:
            return
        try:
            self._bench.ledger.progress(hand.message_id, hand.begun_at, admitted.starts, settled)
        except RedisUnavailable:
            metrics.UNWRITTEN.labels(self._bench.channel).inc()

    def _nap(self, seconds: float) -> bool:
        return not self._stopping.wait(seconds)

    def _without_sending(self, hand: Hand, admitted: Admitted, choice: Choice | float) -> None:
        if isinstance(admitted, Wait):
            self._park(hand, admitted)
        elif isinstance(admitted, Settle):
            self._settle(hand, admitted)
        elif isinstance(admitted, Suspect):
            return
        elif admitted.unmarked or isinstance(choice, Choice):
            # Unmarked, the retry that a deferral asks for could overtake this very job.
            self._park(hand, Wait(LONGEST_PARK_SECONDS, "redis"))
        else:
            self._finish(hand, deferred_for(choice, now=self._bench.now()))

    def _settle(self, hand: Hand, settled: Settle) -> None:
        """Report an outcome that needed no call."""
        if settled.found:
            metrics.DEDUPE_HITS.labels(hand.job.channel, settled.found).inc()
        if settled.poison:
            hand.poison = True
            metrics.POISON.labels(hand.job.channel, "crashing").inc()
            log.error("a job stops its workers, putting it aside", message_id=hand.message_id)
        self._finish(hand, settled.done)

    def _finish(self, hand: Hand, done: Done) -> None:
        """Keep the outcome until it is written, with the next job's marker or alone."""
        self._unwritten.write()
        self._unwritten.add(hand, done)

    def _park(self, hand: Hand, wait: Wait) -> None:
        metrics.PARKED.labels(self._bench.channel, wait.cause).inc()
        self._bench.park(hand, wait.seconds)

    def _poison(self, delivery: Delivery, cause: str, problem: str) -> None:
        metrics.POISON.labels(self._bench.channel, cause).inc()
        log.error(
            "unusable message, putting it aside",
            cause=cause,
            queue=delivery.queue,
            message_id=delivery.message_id,
            correlation_id=delivery.correlation_id,
            problem=problem,
        )
        self._bench.reject(delivery)

    def _defect(self, work: Work, hand: Hand | None, defect: Exception) -> None:
        """A bug of ours. Whether the provider was called is not known here."""
        where = "".join(traceback.format_tb(defect.__traceback__))
        message_id = work.message_id
        log.error("defect", error=type(defect).__name__, where=where, message_id=message_id)
        metrics.POISON.labels(self._bench.channel, "defect").inc()
        if hand is None:
            if isinstance(work, Delivery):
                self._bench.reject(work)
            return
        self._finish(hand, after_defect(hand.job, type(defect).__name__, now=self._bench.now()))


@contextmanager
def tracked(hand: Hand) -> Iterator[None]:
    """Trace the work on a job, and let its event continue the trace."""
    if not tracing.is_on():
        yield
        return
    job = hand.job
    attributes: tracing.Attributes = {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "process",
        "messaging.message.id": hand.message_id,
        "carillon.organization_id": job.organization_id,
        "carillon.lane": job.lane.value,
        "carillon.attempt": job.attempt,
    }
    with tracing.span(
        f"process {job.channel}", "consumer", parent=job.traceparent, attributes=attributes
    ) as span:
        hand.traceparent = span.traceparent
        yield


def _first_choice(order: ProviderOrder, job: DeliveryJob) -> Choice | float:
    """A provider for the job; of several devices, for the first that has one now.

    Where there is none for any of their platforms it is the first of all: it is not called.
    """
    if not is_for_devices(job):
        return order.choose(job.lane, passed_over(order, job.avoid) if job.avoid else ())
    platforms = dict.fromkeys(
        address.platform for address in job.addresses if order.serves(address.platform)
    )
    waits: list[float] = []
    for platform in platforms:
        choice = order.choose(job.lane, platform=platform)
        if isinstance(choice, Choice):
            return choice
        waits.append(choice)
    return min(waits) if waits else order.choose(job.lane)
