"""How long the gateway's word holds."""

from concurrent.futures import ThreadPoolExecutor

from carillon.worker.accounts.cache import (
    ASK_AGAIN_SECONDS,
    FRESH_SECONDS,
    STALE_SECONDS,
    AccountCache,
)
from carillon.worker.tests.accounts.doubles import ACME, GatewayDouble, account, active
from carillon.worker.tests.doubles import Clock


def test_the_gateway_is_asked_once_a_minute_and_not_for_each_job() -> None:
    gateway, clock = GatewayDouble(**{ACME: (account(),)}), Clock()
    cache = AccountCache(gateway, "email", clock=clock)
    for _ in range(100):
        assert cache.find(ACME) == active(account())
    assert gateway.calls == [(ACME, "email")]
    clock.advance(FRESH_SECONDS - 0.1)
    cache.find(ACME)
    assert len(gateway.calls) == 1
    clock.advance(0.1)
    cache.find(ACME)
    assert len(gateway.calls) == 2


def test_that_there_are_none_is_remembered_too() -> None:
    gateway, clock = GatewayDouble(), Clock()
    cache = AccountCache(gateway, "email", clock=clock)
    for _ in range(100):
        assert cache.find(ACME) == active()
    assert len(gateway.calls) == 1


def test_a_change_is_seen_within_a_minute_also_after_a_long_silence() -> None:
    gateway, clock = GatewayDouble(**{ACME: (account(1),)}), Clock()
    cache = AccountCache(gateway, "email", clock=clock)
    assert cache.find(ACME) == active(account(1))
    gateway.accounts[ACME] = (account(2),)
    clock.advance(FRESH_SECONDS)
    assert cache.find(ACME) == active(account(2))
    gateway.accounts[ACME] = ()
    clock.advance(30 * 60)
    assert cache.find(ACME) == active()


def test_what_is_stale_is_used_while_the_gateway_is_down_for_an_hour() -> None:
    gateway, clock = GatewayDouble(**{ACME: (account(),)}), Clock()
    cache = AccountCache(gateway, "email", clock=clock)
    cache.find(ACME)
    gateway.down = True
    clock.advance(FRESH_SECONDS)
    assert cache.find(ACME) == active(account())
    clock.advance(STALE_SECONDS - FRESH_SECONDS - 1)
    assert cache.find(ACME) == active(account())
    clock.advance(1)
    assert cache.find(ACME) is None
    gateway.down = False
    clock.advance(ASK_AGAIN_SECONDS)
    assert cache.find(ACME) == active(account())


def test_a_gateway_that_is_down_is_not_asked_for_each_job() -> None:
    gateway, clock = GatewayDouble(), Clock()
    gateway.down = True
    cache = AccountCache(gateway, "email", clock=clock)
    for _ in range(100):
        assert cache.find(ACME) is None
    assert len(gateway.calls) == 1
    clock.advance(ASK_AGAIN_SECONDS)
    cache.find(ACME)
    assert len(gateway.calls) == 2


def test_one_thread_asks_and_the_others_wait_for_its_answer() -> None:
    gateway = GatewayDouble(**{ACME: (account(),)})
    gateway.before_answer.clear()
    cache = AccountCache(gateway, "email")
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(cache.find, ACME) for _ in range(8)]
        gateway.before_answer.set()
        assert [each.result(60) for each in found] == [active(account())] * 8
    assert len(gateway.calls) == 1


def test_whoever_has_to_wait_is_told_before() -> None:
    cache, told = AccountCache(GatewayDouble(), "email"), []
    cache.find(ACME, lambda: told.append("asks"))
    cache.find(ACME, lambda: told.append("asks again"))
    assert told == ["asks"]


def test_it_is_bounded_and_forgets_who_has_been_silent_for_longest() -> None:
    gateway = GatewayDouble()
    cache = AccountCache(gateway, "email", most=2)
    for organization in ("a", "b", "a", "c", "a"):
        cache.find(organization)
    assert len(cache) == 2
    assert [organization for organization, _ in gateway.calls] == ["a", "b", "c"]
    cache.find("b")
    assert len(gateway.calls) == 4
