"""A whole worker on real servers: each organization's messages through its own accounts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from carillon.contracts.messages import Mode, Outcome
from carillon.contracts.provider_accounts import ProviderAccount
from carillon.errors import Reason, TemporaryFailure
from carillon.settings import Environment, GivenSettings
from carillon.testing.providers import delivery_job
from carillon.worker.accounts import cache, orders
from carillon.worker.accounts.setup import AccountSetup
from carillon.worker.runner import Runner
from carillon.worker.tests.accounts.doubles import ACME, SECRET, GatewayDouble, account
from carillon.worker.tests.conftest import Broker
from carillon.worker.tests.doubles import RecordingProvider, configured
from carillon.worker.tests.harness import Platform, eventually, settings
from carillon.worker.tests.test_sending import raising

pytestmark = pytest.mark.integration

UMBRELLA = "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a99"


class Adapters:
    """SendGrid's adapter in a worker: it remembers with which key it was made."""

    def __init__(self) -> None:
        self.made: dict[str, RecordingProvider] = {}
        self.failing: set[str] = set()

    def make(self, env: Environment) -> RecordingProvider:
        key = env.text("SENDGRID_API_KEY")
        failure = TemporaryFailure("no", reason=Reason.PROVIDER_UNAVAILABLE)
        behave = raising(failure) if key in self.failing else lambda _job: None
        self.made[key] = RecordingProvider("sendgrid", behave)
        return self.made[key]


@contextmanager
def working(
    redis_url: str, rabbitmq_url: str, gateway: GatewayDouble, adapters: Adapters
) -> Iterator[RecordingProvider]:
    """A worker; gives the platform's own provider."""
    platforms = RecordingProvider("platforms")
    env = GivenSettings({"ENVIRONMENT": "local"})
    setup = AccountSetup(gateway, {"email": {"sendgrid": adapters.make}}, env)
    runner = Runner(settings(redis_url, rabbitmq_url), {"email": configured(platforms)}, setup)
    runner.start()
    try:
        assert runner.wait_consuming(60)
        yield platforms
    finally:
        assert runner.stop()


def keyed(number: int, key: str, **fields: int) -> ProviderAccount:
    return account(number, credentials={"api_key": key}, **fields)


def test_each_organizations_messages_leave_through_its_own_accounts(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    gateway, adapters = GatewayDouble(**{ACME: (account(),)}), Adapters()
    jobs = [delivery_job(organization_id=ACME) for _ in range(20)]
    others = [delivery_job(organization_id=UMBRELLA) for _ in range(20)]
    test = delivery_job(organization_id=ACME, mode=Mode.TEST)
    with working(redis_url, broker.url, gateway, adapters) as platforms:
        platform.publish(*jobs, *others, test)
        events = platform.wait_told(41)
    own = adapters.made[SECRET]
    assert sorted(own.sent) == sorted(job.message_id for job in jobs)
    assert sorted(platforms.sent) == sorted(job.message_id for job in others)
    by_organization = {(e.organization_id, e.provider) for e in events}
    assert by_organization == {(ACME, "sendgrid"), (UMBRELLA, "platforms"), (ACME, "sandbox")}
    # One question for each organization, not for each job.
    assert sorted(gateway.calls) == [(ACME, "email"), (UMBRELLA, "email")]
    assert own.closed


def test_a_failing_account_is_replaced_by_the_next_and_never_by_the_platform(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    adapters = Adapters()
    adapters.failing = {"SG.the-first-key"}
    accounts = keyed(1, "SG.the-first-key"), keyed(2, "SG.the-second-key", position=1)
    gateway = GatewayDouble(**{ACME: accounts, UMBRELLA: accounts[:1]})
    saved, lost = delivery_job(organization_id=ACME), delivery_job(organization_id=UMBRELLA)
    with working(redis_url, broker.url, gateway, adapters) as platforms:
        platform.publish(saved, lost)
        assert platform.event_of(saved).outcome is Outcome.DELIVERED
        event = platform.event_of(lost)
    assert (event.outcome, event.provider) == (Outcome.DEFERRED, "sendgrid")
    assert adapters.made["SG.the-second-key"].sent == [saved.message_id]
    assert platforms.calls == []


def test_nothing_is_sent_in_the_wrong_name_while_the_gateway_cannot_be_asked(
    platform: Platform, broker: Broker, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "UNKNOWN_SECONDS", 0.6)
    monkeypatch.setattr(cache, "ASK_AGAIN_SECONDS", 0.1)
    gateway, adapters = GatewayDouble(**{ACME: (account(),)}), Adapters()
    gateway.down = True
    job = delivery_job(organization_id=ACME)
    with working(redis_url, broker.url, gateway, adapters) as platforms:
        platform.publish(job)
        eventually(lambda: len(gateway.calls) >= 2, "the gateway is asked again")
        assert platform.events == []
        gateway.down = False
        event = platform.event_of(job)
    assert (event.outcome, event.provider) == (Outcome.DELIVERED, "sendgrid")
    assert platforms.calls == []
