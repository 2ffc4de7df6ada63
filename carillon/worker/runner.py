"""The runner that all workers share: from RabbitMQ's lanes to the desks, and back with the acks."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import structlog

from carillon.broker.consumer import Consumer
from carillon.broker.delivery import Delivery
from carillon.broker.publisher import Publisher
from carillon.observability.health import Check
from carillon.worker.accounts.setup import AccountSetup
from carillon.worker.admission import Admission
from carillon.worker.breaker import CircuitBreaker
from carillon.worker.dedupe import DedupeLedger
from carillon.worker.desk import Desk
from carillon.worker.hands import Hand
from carillon.worker.isolation import Isolation
from carillon.worker.redis_link import RedisLink, RedisUnavailable
from carillon.worker.registry import ConfiguredProvider
from carillon.worker.reporting import Reporter
from carillon.worker.settings import WorkerSettings

log = structlog.get_logger(__name__)

HOUSEKEEPING_SECONDS = 1.0
PRESENCE_EVERY = 4
# An I/O thread that has not turned for so long hangs.
MOST_SECONDS_SINCE_TURN = 30.0


# A connection that does not answer is closed some time after its time is up.
GOODBYE_SECONDS = 3.0


class Runner:
    """One process's work: start it, and stop it before the process ends.

    Nothing is acknowledged before its event is confirmed; a job whose process dies comes back.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        providers: Mapping[str, tuple[ConfiguredProvider, ...]],
        accounts: AccountSetup | None = None,
    ) -> None:
        """`providers` by channel name, in order; without `accounts` they are the only ones."""
        self._settings = settings
        self._link = RedisLink(settings.redis_url)
        lanes = sum(settings.prefetch.values()) * len(settings.channels)
        self._ledger = DedupeLedger(
            self._link,
            owner=f"{settings.worker}-{secrets.token_hex(8)}",
            ttl_seconds=settings.dedupe_ttl_seconds,
            # Only what is not yet acknowledged can come back here: twice the prefetch and a margin.
            remembered=2 * lanes + 1000,
        )
        self._publisher = Publisher(settings.rabbitmq_url, name=settings.worker)
        self._reporter = Reporter(self._publisher, settle=self._settle, refuse=self._refuse)
        admission = Admission(self._ledger, longest_call=settings.longest_call_seconds)
        isolation = Isolation()
        self._desks = {
            channel.name: Desk(
                channel,
                providers[channel.name],
                settings,
                link=self._link,
                ledger=self._ledger,
                admission=admission,
                isolation=isolation,
                report=self._reporter.put,
                reject=self._reject,
                accounts=accounts,
            )
            for channel in settings.channels
        }
        subscriptions = [each for desk in self._desks.values() for each in desk.subscriptions()]
        self._consumer = Consumer(settings.rabbitmq_url, subscriptions, name=settings.worker)
        self._stopping = threading.Event()
        self._housekeeping = threading.Thread(
            target=self._keep_house, name="housekeeping", daemon=True
        )

    def start(self) -> None:
        """Begin to work; servers that are down are no error, the work begins when they are up."""
        self._keep_shared_state(presence=True)
        self._housekeeping.start()
        self._reporter.start()
        for desk in self._desks.values():
            desk.start()
        self._publisher.start()
        self._consumer.start()
        log.info(
            "worker started",
            channels=list(self._desks),
            threads=self._settings.threads.total,
            owner=self._ledger.owner,
        )

    def stop(self) -> bool:
        """Finish what is under way, give the rest back, flush the acks; within `stop_seconds`.

        False where a job was left behind; RabbitMQ hands it out again, and its marker tells.
        """
        began = time.monotonic()

        def left(share: float) -> float:
            """Seconds until that share of the time is used; each stage has its own."""
            until = began + share * max(1.0, self._settings.stop_seconds - GOODBYE_SECONDS)
            return max(0.1, until - time.monotonic())

        log.info("worker stops")
        self._consumer.stop_consuming(left(0.15))
        began_draining = time.monotonic()
        unbegun = self._finish_desks(
            began_draining + min(self._settings.drain_seconds, left(0.5)),
            began_draining + left(0.75),
        )
        for each in unbegun:
            self._release(each)
        complete = self._reporter.close(left(0.85))
        _at_once(lambda: self._consumer.close(left(1.0)), lambda: self._publisher.close(left(1.0)))
        complete = self._leave() and complete
        log.info("worker stopped", complete=complete, seconds=round(time.monotonic() - began, 1))
        return complete

    def alive(self) -> bool:
        """False where a thread hangs or has died, which a restart would heal.

        A broker or a Redis that is away is none of that.
        """
        turned = max(self._consumer.seconds_since_turn, self._publisher.seconds_since_turn)
        return (
            turned < MOST_SECONDS_SINCE_TURN
            and self._reporter.alive
            and self._housekeeping.is_alive()
            and not any(
                desk.stuck(self._settings.longest_call_seconds) for desk in self._desks.values()
            )
        )

    def checks(self) -> dict[str, Check]:
        """The health of what it depends on."""
        return {"redis": self._link.ping, "rabbitmq": self._check_broker}

    def wait_consuming(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until every lane is consumed."""
        return self._consumer.wait_consuming(timeout)

    def _check_broker(self) -> None:
        if not (self._consumer.consuming and self._publisher.connected):
            raise ConnectionError("not connected")

    def _finish_desks(self, drain_until: float, stop_until: float) -> list[Hand | Delivery]:
        unbegun: list[Hand | Delivery] = []

        def finish(desk: Desk) -> None:
            unbegun.extend(desk.finish(drain_until=drain_until, stop_until=stop_until))

        _at_once(*(partial(finish, desk) for desk in self._desks.values()))
        return unbegun

    def _leave(self) -> bool:
        """Let go of the servers and providers; True where nothing is under way any more."""
        self._stopping.set()
        self._housekeeping.join(2.0)
        idle = all(desk.idle for desk in self._desks.values())
        if idle:
            try:
                self._ledger.withdraw_presence()
            except RedisUnavailable:
                log.info("presence left to expire")
            for desk in self._desks.values():
                desk.close()
            self._link.close()
        return idle

    # --- what the desks and the reporter settle

    def _settle(self, hands: Iterable[Hand]) -> None:
        """The events of these jobs are confirmed."""
        acks: list[Delivery] = []
        for hand in hands:
            deliveries = self._desks[hand.job.channel].let_go(hand)
            if hand.poison:
                for delivery in deliveries:
                    self._reject(delivery)
            else:
                acks += deliveries
        self._consumer.ack_all(acks)

    def _refuse(self, hand: Hand) -> None:
        for delivery in self._desks[hand.job.channel].let_go(hand):
            self._reject(delivery)

    def _reject(self, delivery: Delivery) -> None:
        self._consumer.reject(delivery)

    def _release(self, unbegun: Hand | Delivery) -> None:
        if isinstance(unbegun, Delivery):
            self._consumer.release(unbegun)
            return
        for delivery in self._desks[unbegun.job.channel].let_go(unbegun):
            self._consumer.release(delivery)

    # --- housekeeping

    def _keep_house(self) -> None:
        turn = 0
        while not self._stopping.wait(HOUSEKEEPING_SECONDS):
            turn += 1
            self._keep_shared_state(presence=turn % PRESENCE_EVERY == 0)
            for desk in self._desks.values():
                desk.look_around()

    def _keep_shared_state(self, *, presence: bool) -> None:
        breakers = [each for desk in self._desks.values() for each in desk.breakers]
        try:
            if presence:
                self._ledger.refresh_presence()
            CircuitBreaker.refresh(self._link, breakers)
        except RedisUnavailable:
            # Each process then goes by what it sees itself; the link logs that Redis is away.
            return


def _at_once(*tasks: Callable[[], None]) -> None:
    """Run the tasks beside each other, and wait for all."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
