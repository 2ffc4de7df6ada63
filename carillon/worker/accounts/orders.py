"""The order of providers of each organization that has accounts: made when needed, and bounded."""

import itertools
import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import attrgetter

from carillon.contracts.lanes import Lane
from carillon.contracts.provider_accounts import ActiveAccounts, ProviderAccount
from carillon.worker import metrics
from carillon.worker.accounts.cache import AccountCache
from carillon.worker.accounts.making import AccountProviders, UnusableProvider
from carillon.worker.breaker import CircuitBreaker
from carillon.worker.rate_limit import RateLimit
from carillon.worker.redis_link import RedisLink
from carillon.worker.routing import AlwaysClosed, Breaker, Member, ProviderOrder

# Each holds connections; who is not among them any more is made anew with its next message.
MOST_ORDERS = 200
UNKNOWN_SECONDS = 5.0


class AccountOrder(ProviderOrder):
    """An organization's accounts: by position, and by lot in proportion to the weights.

    Behind them come the platform's `stand_ins`, where the organization wants them. It is closed
    when it is retired and nobody uses it any more; they are not.
    """

    def __init__(
        self,
        accounts: Sequence[ProviderAccount],
        members: Sequence[Member],
        stand_ins: Sequence[Member] = (),
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """A member for each account; `draw` gives numbers of [0, 1)."""
        super().__init__((*members, *stand_ins))
        self.active = ActiveAccounts(tuple(accounts), bool(stand_ins))
        self._own = tuple(members)
        self._stand_ins = tuple(stand_ins)
        self._draw = draw
        pairs = sorted(zip(accounts, members, strict=True), key=lambda pair: pair[0].position)
        self._groups = [
            [(member, account.weight) for account, member in group]
            for _, group in itertools.groupby(pairs, key=lambda pair: pair[0].position)
        ]
        self._guard = threading.Lock()
        self._users = 0
        self._retired = False

    def sequence(self) -> Sequence[Member]:
        """The members in the order of this one message."""
        own = [member for group in self._groups for member in self._drawn(group)]
        return [*own, *self._stand_ins]

    @property
    def own(self) -> Sequence[Member]:
        """Those of the accounts."""
        return self._own

    def lend(self) -> None:
        """Somebody uses it until `give_back`."""
        with self._guard:
            self._users += 1

    def give_back(self) -> None:
        """Somebody is done with it."""
        with self._guard:
            self._users -= 1
            over = self._retired and not self._users
        if over:
            self._close()

    def retire(self) -> None:
        """Nobody gets it any more."""
        with self._guard:
            over = not self._retired and not self._users
            self._retired = True
        if over:
            self._close()

    def _drawn(self, group: list[tuple[Member, int]]) -> list[Member]:
        if len(group) == 1:
            return [group[0][0]]
        # Efraimidis and Spirakis, 2006: a random order in which each place goes by weight.
        keyed = [(self._draw() ** (1 / weight), member) for member, weight in group]
        return [member for _, member in sorted(keyed, key=lambda pair: pair[0], reverse=True)]

    def _close(self) -> None:
        for member in self._own:
            member.provider.close()


class UnknownOrder(ProviderOrder):
    """Of an organization whose accounts nobody can tell: its messages wait."""

    def __init__(self) -> None:
        super().__init__(())

    def choose(self, lane: Lane, tried: object = (), platform: str | None = None) -> float:
        """The seconds until it is worth asking again."""
        return UNKNOWN_SECONDS


class AccountOrders:
    """The orders of one channel, by organization."""

    def __init__(
        self,
        channel: str,
        cache: AccountCache,
        providers: AccountProviders,
        link: RedisLink,
        *,
        most: int = MOST_ORDERS,
    ) -> None:
        self._channel = channel
        self._cache = cache
        self._providers = providers
        self._link = link
        self._most = most
        self._guard = threading.Lock()
        self._orders: OrderedDict[str, AccountOrder] = OrderedDict()

    def borrow(
        self,
        organization_id: str,
        before_asking: Callable[[], None] = lambda: None,
        platform: ProviderOrder | None = None,
    ) -> ProviderOrder | None:
        """The organization's order, to be given back; None where it has no account of its own.

        Members of `platform` stand in for its accounts where the organization wants that.
        """
        active = self._cache.find(organization_id, before_asking)
        if active is None:
            return UnknownOrder()
        stand_ins = platform.members if platform and active.platform_stands_in else ()
        wanted = ActiveAccounts(active.accounts, bool(stand_ins))
        order: AccountOrder | None = None
        retired: list[AccountOrder] = []
        with self._guard:
            held = self._orders.pop(organization_id, None)
            if held is not None and held.active != wanted:
                retired.append(held)
                held = None
            if wanted.accounts:
                order = held or self._made(wanted.accounts, stand_ins)
                self._orders[organization_id] = order
                order.lend()
                if len(self._orders) > self._most:
                    retired.append(self._orders.popitem(last=False)[1])
        for each in retired:
            each.retire()
        return order

    @property
    def breakers(self) -> list[CircuitBreaker]:
        """Of all accounts that are held."""
        with self._guard:
            orders = list(self._orders.values())
        breakers = (member.breaker for order in orders for member in order.own)
        return [breaker for breaker in breakers if isinstance(breaker, CircuitBreaker)]

    def observe(self) -> None:
        """Set the gauges: sums, for an organization is no label."""
        metrics.ACCOUNT_ORGANIZATIONS.labels(self._channel).set(len(self._orders))
        shut = sum(map(attrgetter("shut"), self.breakers))
        metrics.ACCOUNT_BREAKERS_OPEN.labels(self._channel).set(shut)

    def close(self) -> None:
        """Close the providers."""
        with self._guard:
            orders = list(self._orders.values())
            self._orders.clear()
        for order in orders:
            order.retire()

    def _made(
        self, accounts: Sequence[ProviderAccount], stand_ins: Sequence[Member]
    ) -> AccountOrder:
        members = [self._member(account) for account in accounts]
        return AccountOrder(accounts, members, stand_ins)

    def _member(self, account: ProviderAccount) -> Member:
        made = self._providers.make(account)
        key = f"{self._channel}:{account.account_id}"
        usable = not isinstance(made.provider, UnusableProvider)
        breaker: Breaker = CircuitBreaker(self._link, key) if usable else AlwaysClosed()
        limit = RateLimit(self._link, key, made.rate) if made.rate else None
        return Member(made.provider, breaker, limit, key=account.account_id)
