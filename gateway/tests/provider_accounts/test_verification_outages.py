"""Verifying an account while something is down, and what the workers' calls give away."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.test import Client

from carillon.contracts.verification import ANSWER_SECONDS, VerificationRequest, requests_key
from gateway import connections
from gateway.provider_accounts import verification
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_provider_account
from gateway.tests.provider_accounts.checks import (
    REFUSED,
    VERIFIED,
    asked,
    counted,
    forget_requests,
    later,
    path,
    verified,
    worker,
)
from gateway.tests.provider_accounts.test_api import SECRET

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def clean(tenant: Tenant) -> None:
    """See `forget_requests`."""
    forget_requests()


def test_a_check_that_no_worker_answers_has_failed(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    later(account, ANSWER_SECONDS)
    shown = tenant.api.get(path(account)).data["verification"]
    assert (shown["status"], shown["reason"]) == ("failed", "no_answer")
    assert "No worker of the channel email" in shown["message"]
    # A worker that comes back now does not call the provider for nobody,
    (late,) = asked()
    assert worker(late).status_code == 404
    # and whoever asks again is served.
    assert tenant.api.post(f"{path(account)}verify/").data["verification"]["status"] == "pending"
    assert worker(asked()[-1], VERIFIED).status_code == 200
    # The first worker was slow, and is about an earlier check.
    assert worker(late, REFUSED).status_code == 404
    assert tenant.api.get(path(account)).data["verification"]["status"] == "verified"


def test_an_answer_that_comes_late_is_better_than_none(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    later(account, ANSWER_SECONDS + 30)
    assert worker(asked()[0], REFUSED).status_code == 200
    assert tenant.api.get(path(account)).data["verification"]["reason"] == "configuration"


def test_requests_that_nobody_takes_do_not_stay(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "REQUESTS_MOST", 2)
    accounts = [make_provider_account(tenant.organization) for _ in range(3)]
    for account in accounts:
        tenant.api.post(f"{path(account)}verify/")
    assert [request.account_id for request in asked()] == [each.pk for each in accounts[1:]]
    assert 0 < connections.redis_client().ttl(requests_key("email")) <= ANSWER_SECONDS


def test_without_redis_nothing_is_changed(tenant: Tenant, configure_redis: Any) -> None:
    account = verified(tenant)
    configure_redis("redis://127.0.0.1:1/0")
    answer = tenant.api.post(f"{path(account)}verify/")
    assert answer.error == (503, "service_unavailable")
    assert answer.headers["Retry-After"]
    assert "Nothing was changed" in answer.body["message"]
    assert tenant.api.get(path(account)).data["verification"]["status"] == "verified"


def test_redis_that_fails_halfway_changes_nothing(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = verified(tenant)
    before = tenant.api.get(path(account)).data

    def fail(*_args: object) -> Any:
        raise redis.TimeoutError

    monkeypatch.setattr(verification, "_hand_over", fail)
    counting = counted("unavailable")
    assert tenant.api.post(f"{path(account)}verify/").error == (503, "service_unavailable")
    assert counted("unavailable") == counting + 1
    assert tenant.api.get(path(account)).data == before


def test_rabbitmq_has_no_part_in_it(tenant: Tenant, configure: Any) -> None:
    configure(rabbitmq_url="amqp://guest:guest@127.0.0.1:1/")
    account = make_provider_account(tenant.organization)
    assert tenant.api.post(f"{path(account)}verify/").status == 202
    assert worker(asked()[0], VERIFIED).status_code == 200


@pytest.fixture
def configure_redis(settings: Any) -> Iterator[Any]:
    """`configure_redis(url)`: the gateway's checks find another Redis."""

    def change(url: str) -> None:
        settings.CARILLON = replace(settings.CARILLON, redis_url=url)
        connections.redis_client.cache_clear()

    yield change
    connections.redis_client.cache_clear()


# --- secrets, and the workers' calls


def test_nothing_that_travels_or_is_shown_holds_a_secret(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    account = make_provider_account(tenant.organization, credentials={"api_key": SECRET})
    answer = tenant.api.post(f"{path(account)}verify/")
    octets: Any = connections.redis_client().lrange(requests_key("email"), 0, -1)
    (request,) = asked()
    worker(request)
    worker(request, REFUSED)
    said = capsys.readouterr()
    metrics_page = Client().get("/metrics").content.decode()
    for place in (str(answer.body), str(octets), caplog.text, said.out, said.err, metrics_page):
        assert SECRET not in place
    assert "provider account verification" in caplog.text + said.out + said.err


def test_the_workers_calls_are_for_workers(tenant: Tenant, other_tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    (request,) = asked()
    for body in (None, VERIFIED):
        assert worker(request, body, secret="wrong").status_code == 401
        assert worker(request, body, organization_id=other_tenant.id).status_code == 404
        others = VerificationRequest(
            verification_id=uuid4(), account_id=account.pk, organization_id=tenant.id
        )
        assert worker(others, body).status_code == 404
    url = f"/internal/provider-accounts/{account.pk}/verifications/{request.verification_id}/"
    assert tenant.api.get(url).error == (401, "authentication_required")
    assert tenant.api.get(path(account)).data["verification"]["status"] == "pending"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "verified"},
        {"status": "pending", "message": "x"},
        {"status": "unverified", "message": "x"},
        {"status": "splendid", "message": "x"},
        {"status": "verified", "message": "x" * 301},
        {"status": "verified", "message": "x", "code": "x" * 51},
        {"status": "verified", "message": "x", "more": "x"},
    ],
)
def test_a_result_that_is_none_is_refused(tenant: Tenant, body: dict[str, str]) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    assert worker(asked()[0], body).status_code == 400
    assert tenant.api.get(path(account)).data["verification"]["status"] == "pending"
