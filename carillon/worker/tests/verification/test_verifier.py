"""The verifier on a real Redis: each request is answered once, and no provider holds up others."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from carillon.contracts.verification import (
    ANSWER_SECONDS,
    VerificationRequest,
    VerificationStatus,
    encode_request,
    requests_key,
)
from carillon.errors import PermanentFailure, Reason
from carillon.redis_client import connect
from carillon.settings import GivenSettings
from carillon.worker.accounts.making import AccountProviders
from carillon.worker.redis_link import RedisLink
from carillon.worker.tests.accounts.doubles import SECRET, account
from carillon.worker.tests.doubles import Clock
from carillon.worker.tests.harness import eventually
from carillon.worker.tests.verification.doubles import Adapters, GatewayDouble, request_of
from carillon.worker.verification import metrics, verifier
from carillon.worker.verification.verifier import AT_ONCE, MOST_THREADS, Bell, Verifier

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(verifier, "PAUSES_SECONDS", (0.01, 0.01))


@pytest.fixture
def ring(redis_url: str) -> Iterator[Callable[..., None]]:
    """Puts requests into the list, as the gateway does."""
    with connect(redis_url) as client:
        client.delete(requests_key("email"))

        def put(*requests: VerificationRequest | bytes) -> None:
            for each in requests:
                octets = each if isinstance(each, bytes) else encode_request(each)
                client.rpush(requests_key("email"), octets)

        yield put
        client.delete(requests_key("email"))


@contextmanager
def at_work(
    redis_url: str, gateway: GatewayDouble, adapters: Adapters, clock: Clock | None = None
) -> Iterator[Verifier]:
    env = GivenSettings({"ENVIRONMENT": "local"})
    working = Verifier(
        Bell(RedisLink(redis_url), ("email",)),
        gateway,
        {"email": AccountProviders({"sendgrid": adapters.make}, env)},
        clock=clock or time.monotonic,
    )
    working.start()
    try:
        yield working
    finally:
        working.close(60)


def counted(result: str) -> float:
    return float(metrics.VERIFICATIONS.labels("email", result)._value.get())


def test_a_request_is_checked_with_the_accounts_own_key_and_answered(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gateway, adapters = GatewayDouble(), Adapters()
    before = counted("verified")
    with at_work(redis_url, gateway, adapters):
        ring(gateway.wait_for(account()))
        (result,) = gateway.wait_results(1)
        eventually(lambda: counted("verified") == before + 1, "it is counted")
    assert (result.status, result.message) == (VerificationStatus.VERIFIED, "It works.")
    assert adapters.keys == [SECRET]
    assert adapters.made[0].closed
    assert adapters.made[0].calls == []


def test_a_refusal_is_told(redis_url: str, ring: Callable[..., None]) -> None:
    def refuse() -> NoReturn:
        raise PermanentFailure("No.", reason=Reason.CONFIGURATION, code="401")

    gateway = GatewayDouble()
    with at_work(redis_url, gateway, Adapters(refuse)):
        ring(gateway.wait_for(account()))
        (result,) = gateway.wait_results(1)
    assert (result.status, result.reason, result.code) == ("failed", "configuration", "401")


def test_a_request_that_comes_twice_is_answered_once(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gateway, adapters = GatewayDouble(), Adapters()
    with at_work(redis_url, gateway, adapters):
        request = gateway.wait_for(account())
        ring(request)
        gateway.wait_results(1)
        ring(request)
        gateway.wait_asked(2)
        # The next one is behind it.
        ring(gateway.wait_for(account(2)))
        results = gateway.wait_results(2)
    assert len(results) == 2
    assert [made.verified for made in adapters.made] == [1, 1]


def test_nobody_is_called_for_a_check_that_nobody_waits_for(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gateway, adapters = GatewayDouble(), Adapters()
    before = counted("unwanted")
    with at_work(redis_url, gateway, adapters):
        ring(request_of(account()))
        eventually(lambda: counted("unwanted") == before + 1, "it is dropped")
    assert adapters.made == []


def test_what_is_no_request_is_dropped_and_the_next_one_served(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gateway = GatewayDouble()
    before = counted("unreadable")
    with at_work(redis_url, gateway, Adapters()):
        ring(b"nonsense", b"\xff", gateway.wait_for(account()))
        gateway.wait_results(1)
    assert counted("unreadable") == before + 2


def test_a_gateway_that_restarts_is_waited_for(redis_url: str, ring: Callable[..., None]) -> None:
    gateway = GatewayDouble()
    gateway.down = 2
    with at_work(redis_url, gateway, Adapters()):
        ring(gateway.wait_for(account()))
        gateway.wait_results(1)


def test_a_gateway_that_stays_away_is_given_up(redis_url: str, ring: Callable[..., None]) -> None:
    gateway, adapters = GatewayDouble(), Adapters()
    gateway.down = 1_000
    before = counted("untold")
    with at_work(redis_url, gateway, adapters):
        ring(gateway.wait_for(account()))
        eventually(lambda: counted("untold") == before + 1, "it is given up")
    assert adapters.made == []


def test_an_account_of_which_no_provider_can_be_made_is_refused(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gateway, adapters = GatewayDouble(), Adapters()
    with at_work(redis_url, gateway, adapters):
        # As the gateway tells of credentials that no key opens.
        ring(gateway.wait_for(account(credentials={})))
        (result,) = gateway.wait_results(1)
    assert (result.status, result.reason, result.code) == ("failed", "configuration", "account")
    assert adapters.made == []


def test_slow_providers_are_bounded_and_do_not_keep_others_waiting_for_ever(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gate = threading.Event()

    def slowly() -> str:
        assert gate.wait(60)
        return "It works."

    gateway, adapters, clock = GatewayDouble(), Adapters(slowly), Clock()
    accounts = [account(number) for number in range(1, AT_ONCE + 2)]
    try:
        with at_work(redis_url, gateway, adapters, clock):
            ring(*map(gateway.wait_for, accounts))
            gateway.wait_asked(AT_ONCE)
            # Full: the last one waits in Redis, for any process that has room.
            with connect(redis_url) as client:
                assert client.llen(requests_key("email")) == 1
                clock.advance(ANSWER_SECONDS + 1)
                # Those that nobody waits for any more make room.
                gateway.wait_asked(AT_ONCE + 1)
                assert client.llen(requests_key("email")) == 0
            gate.set()
            gateway.wait_results(AT_ONCE + 1)
    finally:
        gate.set()
    assert AT_ONCE < MOST_THREADS


def test_redis_may_be_away_for_a_while(ring: Callable[..., None], redis_url: str) -> None:
    gateway = GatewayDouble()
    with at_work("redis://127.0.0.1:1/0", gateway, Adapters()) as working:
        eventually(lambda: working.bell.link._away, "it looks for Redis")
        assert working.alive
    assert gateway.asked == 0


def test_a_worker_that_stops_waits_for_no_provider(
    redis_url: str, ring: Callable[..., None]
) -> None:
    gate = threading.Event()

    def for_ever() -> str:
        assert gate.wait(60)
        return "It works."

    gateway = GatewayDouble()
    try:
        with at_work(redis_url, gateway, Adapters(for_ever)) as working:
            ring(gateway.wait_for(account()))
            gateway.wait_asked(1)
            assert working.close(0.2) is False
            assert working.alive
            assert gateway.results == []
            gate.set()
    finally:
        gate.set()


def test_it_says_when_it_has_died(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "_run", lambda _self: None)
    with at_work(redis_url, GatewayDouble(), Adapters()) as working:
        eventually(lambda: not working.alive, "its thread has ended")
