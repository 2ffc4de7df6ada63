"""A breaker, seen by two workers that share it."""

from collections.abc import Iterator

import pytest

from carillon.testing.proxy import TCPProxy
from carillon.worker.breaker import COOLDOWN_SECONDS, FAILURES_TO_OPEN, CircuitBreaker, Permit
from carillon.worker.redis_link import RedisLink
from carillon.worker.tests.doubles import Clock

pytestmark = pytest.mark.integration


class Pair:
    """The same provider's breaker in two processes; `link` is their Redis."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self.clock = Clock()
        self.one = CircuitBreaker(link, "email:smtp", clock=self.clock)
        self.other = CircuitBreaker(link, "email:smtp", clock=self.clock)

    def hear(self) -> None:
        """The other's housekeeping."""
        CircuitBreaker.refresh(self.link, [self.other])

    def open(self) -> None:
        for _ in range(FAILURES_TO_OPEN):
            self.one.failed()

    def cool_down(self) -> None:
        """As if the time had passed, on our clocks and on Redis's."""
        self.clock.advance(COOLDOWN_SECONDS)
        self.link.run(("DEL", "worker:breaker:email:smtp:open"))


@pytest.fixture
def pair(link: RedisLink) -> Pair:
    return Pair(link)


def test_it_opens_after_failures_in_a_row(pair: Pair) -> None:
    for _ in range(FAILURES_TO_OPEN - 1):
        pair.one.failed()
    assert pair.one.ask() == Permit()
    pair.one.failed()
    wait = pair.one.ask()
    assert isinstance(wait, float)
    assert 0 < wait <= COOLDOWN_SECONDS
    assert pair.one.shut


def test_success_between_failures_keeps_it_closed(pair: Pair) -> None:
    for _ in range(3 * FAILURES_TO_OPEN):
        pair.one.failed()
        pair.one.failed()
        pair.one.succeeded()
    assert pair.one.ask() == Permit()


def test_failures_of_all_workers_count_together(pair: Pair) -> None:
    for _ in range(FAILURES_TO_OPEN - 1):
        pair.one.failed()
    pair.other.failed()
    assert pair.other.shut


def test_the_other_worker_hears_of_it(pair: Pair) -> None:
    pair.open()
    assert pair.other.ask() == Permit()
    pair.hear()
    assert isinstance(pair.other.ask(), float)


def test_one_worker_probes_and_its_success_closes_it_for_all(pair: Pair) -> None:
    pair.open()
    pair.hear()
    pair.cool_down()
    assert pair.one.ask() == Permit(probe=True)
    assert pair.one.ask() == 1.0
    assert pair.other.ask() == 1.0
    pair.one.succeeded()
    assert pair.one.ask() == Permit()
    pair.hear()
    assert pair.other.ask() == Permit()


def test_a_probe_that_fails_opens_it_again(pair: Pair) -> None:
    pair.open()
    pair.cool_down()
    assert pair.one.ask() == Permit(probe=True)
    pair.one.failed()
    wait = pair.one.ask()
    assert isinstance(wait, float)
    assert wait > 1.0


def test_an_unused_probe_is_passed_on(pair: Pair) -> None:
    pair.open()
    pair.hear()
    pair.cool_down()
    permit = pair.one.ask()
    assert isinstance(permit, Permit)
    pair.one.abandon(permit)
    assert pair.other.ask() == Permit(probe=True)


def test_a_pause_holds_for_all_and_only_grows(pair: Pair) -> None:
    pair.one.pause(30.0)
    pair.other.pause(10.0)
    for breaker in (pair.one, pair.other):
        wait = breaker.ask()
        assert isinstance(wait, float)
        assert 10 < wait <= 30
    pair.one.succeeded()
    assert isinstance(pair.one.ask(), float)


def test_after_a_pause_it_is_closed(pair: Pair) -> None:
    pair.one.pause(30.0)
    pair.clock.advance(31.0)
    assert pair.one.ask() == Permit()


class TestWithoutRedis:
    """Each worker goes by what it sees itself."""

    @pytest.fixture
    def alone(self, redis_url: str) -> Iterator[Pair]:
        with TCPProxy.in_front_of(redis_url) as proxy:
            link = RedisLink(proxy.reroute(redis_url), timeout=0.2)
            proxy.cut()
            yield Pair(link)
            link.close()

    def test_it_opens_probes_and_closes(self, alone: Pair) -> None:
        alone.open()
        assert isinstance(alone.one.ask(), float)
        alone.clock.advance(COOLDOWN_SECONDS)
        assert alone.one.ask() == Permit(probe=True)
        alone.one.succeeded()
        assert alone.one.ask() == Permit()

    def test_a_pause_holds_here(self, alone: Pair) -> None:
        alone.one.pause(20.0)
        assert isinstance(alone.one.ask(), float)
        assert alone.other.ask() == Permit()
