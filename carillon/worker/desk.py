"""A channel's desk: its providers, its queues, its threads."""

import time
from collections.abc import Callable

from carillon.broker import topology
from carillon.broker.consumer import Subscription
from carillon.broker.delivery import Delivery
from carillon.contracts.channels import Channel
from carillon.contracts.lanes import Lane
from carillon.worker import metrics
from carillon.worker.accounts.setup import AccountSetup
from carillon.worker.admission import Admission
from carillon.worker.bench import Bench, Work
from carillon.worker.breaker import CircuitBreaker
from carillon.worker.crew import CrewMember
from carillon.worker.dedupe import DedupeLedger
from carillon.worker.hands import Hand, Hands
from carillon.worker.isolation import Isolation
from carillon.worker.lanes import Crew, LaneQueues
from carillon.worker.pace import Pace
from carillon.worker.parking import Parking
from carillon.worker.providers.sandbox import SandboxProvider
from carillon.worker.rate_limit import RateLimit
from carillon.worker.redis_link import RedisLink
from carillon.worker.registry import ConfiguredProvider
from carillon.worker.reporting import Report
from carillon.worker.routing import AlwaysClosed, Member, ProviderOrder
from carillon.worker.settings import WorkerSettings
from carillon.worker.volley import in_turn


def _is_quick(providers: tuple[ConfiguredProvider, ...]) -> bool:
    """Whether several jobs may be worth taking at once, before anything is known."""
    return all(in_turn(each.provider) is not None and each.rate is None for each in providers)


class Desk:
    """Works on the jobs of one channel. Start it before its subscriptions deliver."""

    def __init__(
        self,
        channel: Channel,
        providers: tuple[ConfiguredProvider, ...],
        settings: WorkerSettings,
        *,
        link: RedisLink,
        ledger: DedupeLedger,
        admission: Admission,
        isolation: Isolation,
        report: Callable[[list[Report]], None],
        reject: Callable[[Delivery], None],
        accounts: AccountSetup | None = None,
    ) -> None:
        self.channel = channel
        self._settings = settings
        self._providers = providers
        self._breakers = {
            each.provider.name: CircuitBreaker(link, f"{channel.name}:{each.provider.name}")
            for each in providers
        }
        self._accounts = accounts.orders(channel.name, link) if accounts else None
        self._queues: LaneQueues[Work] = LaneQueues(settings.threads.shared)
        self._hands = Hands()
        self._parking: Parking[Hand] = Parking(self._unpark)
        bench = Bench(
            channel=channel.name,
            queues=self._queues,
            hands=self._hands,
            ledger=ledger,
            admission=admission,
            live=ProviderOrder(self._member(each, link) for each in providers),
            sandbox=ProviderOrder((Member(SandboxProvider(), AlwaysClosed()),)),
            isolation=isolation,
            report=report,
            park=self._parking.park,
            reject=reject,
            pace=Pace(self._queues, hopeful=_is_quick(providers)),
            accounts=self._accounts,
        )
        self._members = [
            CrewMember(bench, crew, number)
            for crew, count in self._crews()
            for number in range(count)
        ]

    def subscriptions(self) -> list[Subscription]:
        """One a lane, each with an AMQP channel and prefetch of its own; the urgent first."""
        return [
            Subscription(
                topology.queue_for(self.channel.name, lane),
                self._settings.prefetch[lane],
                self._queues.putter(lane),
            )
            for lane in Lane
        ]

    def start(self) -> None:
        """Start the threads."""
        self._parking.start()
        for member in self._members:
            member.start()

    def finish(self, *, drain_until: float, stop_until: float) -> list[Hand | Delivery]:
        """Work on what is queued until `drain_until`, then finish what is under way.

        Both are monotonic times. Returns what was not begun, to be given back. After `stop_until`
        a thread that is still in a provider's call is left behind: its job is redelivered.
        """
        unbegun: list[Hand | Delivery] = list(self._parking.close())
        self._queues.close()
        self._join(drain_until)
        for member in self._members:
            member.stop_soon()
        unbegun += self._queues.drain()
        self._join(stop_until)
        # What a thread parked while it finished.
        return [*unbegun, *self._parking.close()]

    def let_go(self, hand: Hand) -> list[Delivery]:
        """The hand's deliveries, to be settled; the job is in hand no longer."""
        return self._hands.let_go(hand)

    def close(self) -> None:
        """Close the providers; not while a thread is in a call."""
        for each in self._providers:
            each.provider.close()
        if self._accounts is not None:
            self._accounts.close()

    @property
    def breakers(self) -> list[CircuitBreaker]:
        """The platform's, and those of the organizations that were sent for lately."""
        own = list(self._breakers.values())
        return own if self._accounts is None else own + self._accounts.breakers

    @property
    def idle(self) -> bool:
        """True when no thread of the desk runs any more."""
        return not any(member.is_alive() for member in self._members)

    def stuck(self, longest_call: float) -> bool:
        """True where a thread has died, or is at one job for longer than any call may take."""
        now = time.monotonic()
        return not self._parking.alive or any(
            not member.is_alive() or 0 < member.busy_since < now - longest_call
            for member in self._members
        )

    def look_around(self) -> None:
        """Set the gauges, and see that no job waits beside an idle thread."""
        self._queues.rouse()
        metrics.UNSETTLED.labels(self.channel.name).set(len(self._queues) + len(self._hands))
        if self._accounts is not None:
            self._accounts.observe()
        for name, breaker in self._breakers.items():
            metrics.BREAKER_OPEN.labels(self.channel.name, name).set(breaker.shut)

    def _member(self, each: ConfiguredProvider, link: RedisLink) -> Member:
        name = each.provider.name
        limit = RateLimit(link, f"{self.channel.name}:{name}", each.rate) if each.rate else None
        return Member(each.provider, self._breakers[name], limit)

    def _crews(self) -> list[tuple[Crew, int]]:
        threads = self._settings.threads
        reserved = [(self._queues.reserved[lane], threads.reserved[lane]) for lane in Lane]
        return [*reserved, (self._queues.shared, threads.shared)]

    def _unpark(self, hand: Hand) -> None:
        self._queues.put_back(hand.job.lane, hand)

    def _join(self, until: float) -> None:
        for member in self._members:
            if member.ident is not None:
                member.join(max(0.0, until - time.monotonic()))
