"""A health check answers in its time, and tells no secrets."""

import pytest

from carillon.broker.errors import BrokerUnavailable
from carillon.broker.health import check
from carillon.testing.proxy import TCPProxy

pytestmark = pytest.mark.integration


def test_a_broker_that_works_is_healthy(rabbitmq_url: str) -> None:
    check(rabbitmq_url, timeout=60)


def test_a_broker_that_is_silent_is_unhealthy_within_the_time(
    rabbitmq_url: str, proxy: TCPProxy
) -> None:
    proxy.black_hole()
    # Nothing is healed: without a bound of its own there would be no answer.
    with pytest.raises(BrokerUnavailable):
        check(proxy.reroute(rabbitmq_url), timeout=0.5)


def test_a_broker_that_is_down_is_unhealthy_at_once(rabbitmq_url: str, proxy: TCPProxy) -> None:
    proxy.cut()
    with pytest.raises(BrokerUnavailable):
        check(proxy.reroute(rabbitmq_url), timeout=60)


def test_the_reason_holds_no_password(rabbitmq_url: str, proxy: TCPProxy) -> None:
    url = f"amqp://mallory:hunter2hunter2@127.0.0.1:{proxy.port}/"
    with pytest.raises(BrokerUnavailable, match="ACCESS_REFUSED") as caught:
        check(url, timeout=60)
    assert "hunter2" not in str(caught.value)
