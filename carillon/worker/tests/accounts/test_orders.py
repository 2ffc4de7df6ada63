"""Which account a message leaves through, and when the others' connections are closed."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Outcome
from carillon.contracts.provider_accounts import ProviderAccount
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.settings import GivenSettings
from carillon.testing.providers import delivery_job
from carillon.worker.accounts import cache as cached
from carillon.worker.accounts.cache import AccountCache
from carillon.worker.accounts.making import AccountProviders
from carillon.worker.accounts.orders import (
    UNKNOWN_SECONDS,
    AccountOrder,
    AccountOrders,
    UnknownOrder,
)
from carillon.worker.breaker import FAILURES_TO_OPEN
from carillon.worker.dedupe import Done
from carillon.worker.redis_link import RedisLink
from carillon.worker.routing import AlwaysClosed, Choice, Member, ProviderOrder
from carillon.worker.sending import Sender
from carillon.worker.tests.accounts.doubles import ACME, GatewayDouble, account
from carillon.worker.tests.doubles import Clock, RecordingProvider
from carillon.worker.tests.test_sending import raising

REFUSED = TemporaryFailure("no", reason=Reason.PROVIDER_UNAVAILABLE)


class Workshop:
    """Orders whose providers are doubles; one for each account that was made, in turn."""

    def __init__(self, link: RedisLink, gateway: GatewayDouble, **options: Any) -> None:
        self.clock = Clock()
        self.made: list[tuple[str, RecordingProvider]] = []
        self.failing: dict[str, Exception] = {}
        env = GivenSettings({"ENVIRONMENT": "local"})
        providers = AccountProviders({"sendgrid": self._make}, env)
        self._make_one = providers.make
        providers.make = self._noting  # type: ignore[method-assign]
        cache = AccountCache(gateway, "email", clock=self.clock)
        self.orders = AccountOrders("email", cache, providers, link, **options)
        self._making = ""

    def _noting(self, account: ProviderAccount) -> Any:
        self._making = account.account_id
        return self._make_one(account)

    def _make(self, _env: object) -> RecordingProvider:
        failure = self.failing.get(self._making)
        behave = raising(failure) if failure else lambda _job: None
        provider = RecordingProvider("sendgrid", behave)
        self.made.append((self._making, provider))
        return provider

    def send(self) -> Done:
        """One email of the organization."""
        order = self.orders.borrow(ACME)
        assert order is not None
        try:
            job = delivery_job()
            choice = order.choose(job.lane)
            assert isinstance(choice, Choice)
            return Sender(order).send(job, choice)
        finally:
            order.give_back()

    @property
    def sent(self) -> list[int]:
        """How many calls each provider had."""
        return [len(provider.calls) for _, provider in self.made]

    @property
    def closed(self) -> list[bool]:
        """Whether each provider is closed."""
        return [provider.closed for _, provider in self.made]


@pytest.fixture
def away() -> Iterator[RedisLink]:
    """A link to nobody: breakers and limits go by what this process knows."""
    link = RedisLink("redis://127.0.0.1:1/0")
    yield link
    link.close()


def order_of(*accounts: ProviderAccount, seed: int = 1) -> AccountOrder:
    members = [
        Member(RecordingProvider("sendgrid"), AlwaysClosed(), key=each.account_id)
        for each in accounts
    ]
    return AccountOrder(accounts, members, draw=random.Random(seed).random)


def first_of(order: ProviderOrder) -> str:
    choice = order.choose(Lane.NORMAL)
    assert isinstance(choice, Choice)
    return choice.identity


def test_a_lower_position_is_tried_first() -> None:
    second, first = account(1, position=7), account(2, position=3)
    order = order_of(second, first)
    assert {first_of(order) for _ in range(50)} == {first.account_id}
    choice = order.choose(Lane.NORMAL, {first.account_id})
    assert isinstance(choice, Choice)
    assert choice.identity == second.account_id
    assert order.choose(Lane.NORMAL, {first.account_id, second.account_id}) == 0.0


def test_of_one_position_each_gets_its_share() -> None:
    accounts = account(1, weight=1), account(2, weight=3), account(3, weight=100, position=1)
    order = order_of(*accounts)
    counts = Counter(first_of(order) for _ in range(4000))
    assert counts[accounts[2].account_id] == 0
    # Within five standard deviations of 3,000.
    assert 2860 < counts[accounts[1].account_id] < 3140


def test_an_organization_without_accounts_is_the_platforms(away: RedisLink) -> None:
    shop = Workshop(away, GatewayDouble())
    assert shop.orders.borrow(ACME) is None


def test_messages_wait_while_nobody_can_say_whose_accounts_they_need(away: RedisLink) -> None:
    gateway = GatewayDouble()
    gateway.down = True
    order = Workshop(away, gateway).orders.borrow(ACME)
    assert isinstance(order, UnknownOrder)
    assert order.choose(Lane.HIGH) == UNKNOWN_SECONDS
    assert not order.serves("fcm")


def test_an_accounts_failure_is_made_good_by_the_next_of_the_same_provider(
    away: RedisLink,
) -> None:
    first, second = account(1, position=1), account(2, position=2)
    shop = Workshop(away, GatewayDouble(**{ACME: (first, second)}))
    shop.failing[first.account_id] = REFUSED
    done = shop.send()
    assert (done.outcome, done.provider) == (Outcome.DELIVERED, "sendgrid")
    assert shop.sent == [1, 1]


def test_where_all_fail_nothing_is_sent_in_the_platforms_name(away: RedisLink) -> None:
    shop = Workshop(away, GatewayDouble(**{ACME: (account(1), account(2))}))
    shop.failing = {account(1).account_id: REFUSED, account(2).account_id: REFUSED}
    done = shop.send()
    assert (done.outcome, done.provider) == (Outcome.DEFERRED, "sendgrid")
    assert shop.sent == [1, 1]


def test_each_account_has_a_breaker_of_its_own(away: RedisLink) -> None:
    first, second = account(1, position=1), account(2, position=2)
    shop = Workshop(away, GatewayDouble(**{ACME: (first, second)}))
    shop.failing[first.account_id] = REFUSED
    for _ in range(FAILURES_TO_OPEN + 3):
        assert shop.send().outcome is Outcome.DELIVERED
    assert shop.sent == [FAILURES_TO_OPEN, FAILURES_TO_OPEN + 3]
    assert [breaker.shut for breaker in shop.orders.breakers] == [True, False]


def test_a_rate_is_an_accounts_own(away: RedisLink) -> None:
    shop = Workshop(away, GatewayDouble(**{ACME: (account(rate_per_second=0.01),)}))
    assert shop.send().outcome is Outcome.DELIVERED
    order = shop.orders.borrow(ACME)
    assert order is not None
    wait = order.choose(Lane.NORMAL)
    assert isinstance(wait, float)
    assert 0 < wait <= 100


def test_a_changed_account_is_used_within_a_minute_and_the_old_one_closed(
    away: RedisLink,
) -> None:
    gateway = GatewayDouble(**{ACME: (account(),)})
    shop = Workshop(away, gateway)
    shop.send()
    gateway.accounts[ACME] = (account(credentials={"api_key": "SG.another-key-of-acme"}),)
    shop.send()
    assert (shop.sent, shop.closed) == ([2], [False])
    shop.clock.advance(cached.FRESH_SECONDS)
    shop.send()
    assert (shop.sent, shop.closed) == ([2, 1], [True, False])


def test_what_has_not_changed_keeps_its_connections(away: RedisLink) -> None:
    shop = Workshop(away, GatewayDouble(**{ACME: (account(),)}))
    for _ in range(3):
        shop.send()
        shop.clock.advance(cached.FRESH_SECONDS)
    assert (shop.sent, shop.closed) == ([3], [False])


def test_a_deactivated_account_is_used_no_more(away: RedisLink) -> None:
    gateway = GatewayDouble(**{ACME: (account(),)})
    shop = Workshop(away, gateway)
    shop.send()
    gateway.accounts[ACME] = ()
    shop.clock.advance(cached.FRESH_SECONDS)
    assert shop.orders.borrow(ACME) is None
    assert (shop.sent, shop.closed) == ([1], [True])


def test_a_provider_is_closed_only_when_nobody_uses_it(away: RedisLink) -> None:
    gateway = GatewayDouble(**{ACME: (account(),)})
    shop = Workshop(away, gateway)
    order = shop.orders.borrow(ACME)
    gateway.accounts[ACME] = ()
    shop.clock.advance(cached.FRESH_SECONDS)
    shop.orders.borrow(ACME)
    assert shop.closed == [False]
    assert order is not None
    order.give_back()
    assert shop.closed == [True]


def test_orders_are_bounded(away: RedisLink) -> None:
    gateway = GatewayDouble(a=(account(1),), b=(account(2),), c=(account(3),))
    shop = Workshop(away, gateway, most=2)
    for organization in ("a", "b", "a", "c"):
        order = shop.orders.borrow(organization)
        assert order is not None
        order.give_back()
    assert [(made, provider.closed) for made, provider in shop.made] == [
        (account(1).account_id, False),
        (account(2).account_id, True),
        (account(3).account_id, False),
    ]
    shop.orders.close()
    assert shop.closed == [True, True, True]


def test_an_account_that_cannot_be_used_says_so_and_the_next_sends(away: RedisLink) -> None:
    broken = account(1, position=0, credentials={})
    gateway = GatewayDouble(**{ACME: (broken,)})
    shop = Workshop(away, gateway)
    done = shop.send()
    assert (done.outcome, done.reason) == (Outcome.FAILED, Reason.CONFIGURATION)
    assert (done.provider, done.error_code) == ("sendgrid", "account")
    gateway.accounts[ACME] = (broken, account(2, position=1))
    shop.clock.advance(cached.FRESH_SECONDS)
    assert shop.send().outcome is Outcome.DELIVERED


def test_a_refused_key_moves_traffic_to_the_next_account(away: RedisLink) -> None:
    shop = Workshop(away, GatewayDouble(**{ACME: (account(1), account(2, position=1))}))
    shop.failing[account(1).account_id] = PermanentFailure("no", reason=Reason.CONFIGURATION)
    assert shop.send().outcome is Outcome.DELIVERED
    assert shop.sent == [1, 1]


def platform_of(*names: str) -> ProviderOrder:
    """The platform's own providers."""
    return ProviderOrder(Member(RecordingProvider(name), AlwaysClosed()) for name in names)


def delivered(order: ProviderOrder) -> Done:
    job = delivery_job()
    choice = order.choose(job.lane)
    assert isinstance(choice, Choice)
    return Sender(order).send(job, choice)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_platform_stands_in_where_the_organization_wants_that(
    wanted: bool, away: RedisLink
) -> None:
    gateway = GatewayDouble(**{ACME: (account(1), account(2, position=1))})
    gateway.with_stand_ins = {ACME} if wanted else set()
    shop, platform = Workshop(away, gateway), platform_of("smtp")
    shop.failing = {account(number).account_id: REFUSED for number in (1, 2)}
    order = shop.orders.borrow(ACME, platform=platform)
    assert order is not None
    done = delivered(order)
    assert shop.sent == [1, 1]
    assert (done.outcome, done.provider) == (
        (Outcome.DELIVERED, "smtp") if wanted else (Outcome.DEFERRED, "sendgrid")
    )


def test_stand_ins_come_last_and_are_nobodys_to_close(away: RedisLink) -> None:
    gateway = GatewayDouble(**{ACME: (account(position=1_000),)})
    gateway.with_stand_ins = {ACME}
    shop, platform = Workshop(away, gateway), platform_of("ses", "smtp")
    order = shop.orders.borrow(ACME, platform=platform)
    assert order is not None
    assert [member.provider.name for member in order.sequence()] == ["sendgrid", "ses", "smtp"]
    assert len(shop.orders.breakers) == 1
    shop.orders.close()
    order.give_back()
    assert shop.closed == [True]
    assert not any(getattr(member.provider, "closed", False) for member in platform.members)


def test_taking_the_stand_ins_back_makes_another_order(away: RedisLink) -> None:
    gateway = GatewayDouble(**{ACME: (account(),)})
    gateway.with_stand_ins = {ACME}
    shop, platform = Workshop(away, gateway), platform_of("smtp")
    first = shop.orders.borrow(ACME, platform=platform)
    assert first is not None
    assert shop.orders.borrow(ACME, platform=platform) is first
    gateway.with_stand_ins = set()
    shop.clock.advance(cached.FRESH_SECONDS)
    second = shop.orders.borrow(ACME, platform=platform)
    assert second is not None
    assert [member.provider.name for member in second.sequence()] == ["sendgrid"]


def test_without_accounts_there_is_nothing_to_stand_in_for(away: RedisLink) -> None:
    gateway = GatewayDouble()
    gateway.with_stand_ins = {ACME}
    assert Workshop(away, gateway).orders.borrow(ACME, platform=platform_of("smtp")) is None


def test_an_account_that_cannot_be_used_is_stood_in_for(away: RedisLink) -> None:
    gateway = GatewayDouble(**{ACME: (account(credentials={"api_key": ""}),)})
    gateway.with_stand_ins = {ACME}
    order = Workshop(away, gateway).orders.borrow(ACME, platform=platform_of("smtp"))
    assert order is not None
    done = delivered(order)
    assert (done.outcome, done.provider) == (Outcome.DELIVERED, "smtp")
