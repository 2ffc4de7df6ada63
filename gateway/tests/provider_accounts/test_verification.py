"""Verifying an account: asked for by its owner, answered by a worker, shown to both."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.test import Client

from carillon.contracts.messages import Mode
from carillon.contracts.verification import (
    ANSWER_SECONDS,
    VerificationRequest,
    decode_request,
    requests_key,
)
from gateway import connections
from gateway.provider_accounts import metrics, verification
from gateway.provider_accounts.models import ProviderAccount
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_provider_account

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ACCOUNTS = "/api/v1/provider-accounts/"
SECRET = "SG.canary5e1e93cad6fc054d8e7-WxYz"
VERIFIED = {"status": "verified", "message": "SendGrid accepts the key."}
REFUSED = {
    "status": "failed",
    "message": "The provider refuses the account's credentials or settings.",
    "reason": "configuration",
    "code": "401",
}


@pytest.fixture(autouse=True)
def clean(tenant: Tenant) -> None:
    """No request of another test is in the list."""
    client = connections.redis_client()
    client.delete(requests_key("email"), requests_key("sms"))


def path(account: ProviderAccount) -> str:
    return f"{ACCOUNTS}{account.pk}/"


def asked(channel: str = "email") -> list[VerificationRequest]:
    """What waits for a worker."""
    octets: Any = connections.redis_client().lrange(requests_key(channel), 0, -1)
    return [decode_request(each) for each in octets]


def worker(
    request: VerificationRequest,
    body: dict[str, str] | None = None,
    *,
    organization_id: str = "",
    secret: str = "",
) -> Any:
    """A worker fetches the account, or tells its result."""
    url = f"/internal/provider-accounts/{request.account_id}/verifications/"
    sent: dict[str, Any] = {
        "headers": {
            "X-Internal-Secret": secret or settings.CARILLON.internal_secrets[0],
            "X-Organization-ID": organization_id or request.organization_id,
        }
    }
    url = f"{url}{request.verification_id}/"
    if body is None:
        return Client().get(url, **sent)
    return Client().post(url, body, content_type="application/json", **sent)


def later(account: ProviderAccount, seconds: float) -> None:
    """As if it was asked so many seconds ago."""
    ProviderAccount.objects.filter(pk=account.pk).update(
        verification_requested_at=datetime.now(UTC) - timedelta(seconds=seconds)
    )


def verified(tenant: Tenant, **fields: Any) -> ProviderAccount:
    account = make_provider_account(tenant.organization, **fields)
    assert tenant.api.post(f"{path(account)}verify/").status == 202
    assert worker(asked()[-1], VERIFIED).status_code == 200
    later(account, 20)
    return account


def counted(result: str) -> float:
    return float(metrics.VERIFICATIONS.labels("email", result)._value.get())


def test_an_account_is_verified_by_a_worker(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    fresh = tenant.api.get(path(account)).data["verification"]
    assert fresh == dict.fromkeys(fresh, None) | {"status": "unverified"}
    answer = tenant.api.post(f"{path(account)}verify/")
    assert answer.status == 202, answer.body
    assert answer.headers["Location"] == path(account)
    assert answer.data["verification"]["status"] == "pending"
    assert answer.data == tenant.api.get(path(account)).data
    (request,) = asked()
    assert (request.account_id, request.organization_id) == (account.pk, tenant.id)
    assert request.correlation_id == answer.headers["X-Correlation-ID"]
    fetched = worker(request)
    assert fetched.json()["data"]["account"]["credentials"] == {
        "api_key": "SG.a-key-of-acme-that-is-long"
    }
    assert fetched.headers["Cache-Control"] == "no-store"
    assert worker(request, VERIFIED).status_code == 200
    shown = tenant.api.get(path(account)).data
    assert shown["verification"]["status"] == "verified"
    assert shown["verification"]["message"] == "SendGrid accepts the key."
    assert shown["verification"]["checked_at"] >= shown["verification"]["requested_at"]
    assert shown["updated_at"] == answer.data["updated_at"]
    assert tenant.api.get(ACCOUNTS).data == [shown]


def test_a_refusal_says_why(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    worker(asked()[0], REFUSED)
    shown = tenant.api.get(path(account)).data["verification"]
    assert {name: shown[name] for name in REFUSED} == REFUSED


def test_what_cannot_be_verified_says_so(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    worker(asked()[0], {"status": "unverifiable", "message": "Only in sending."})
    shown = tenant.api.get(path(account)).data["verification"]
    assert (shown["status"], shown["reason"]) == ("unverifiable", None)


def test_asking_again_while_it_is_pending_changes_nothing(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    first = tenant.api.post(f"{path(account)}verify/")
    later(account, 20)
    again = tenant.api.post(f"{path(account)}verify/")
    assert (first.status, again.status) == (202, 202)
    assert len(asked()) == 1
    assert again.data["verification"]["status"] == "pending"


def test_an_account_that_is_not_active_can_be_verified_before_it_is_used(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization, is_active=False)
    assert tenant.api.post(f"{path(account)}verify/").status == 202
    (request,) = asked()
    assert worker(request).status_code == 200
    worker(request, VERIFIED)
    shown = tenant.api.get(path(account)).data
    assert (shown["is_active"], shown["verification"]["status"]) == (False, "verified")


def test_each_channel_has_a_list_of_its_own(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization, channel="sms", provider="twilio")
    tenant.api.post(f"{path(account)}verify/")
    assert (len(asked("sms")), len(asked("email"))) == (1, 0)


# --- who may, and how often


def test_a_test_key_verifies_nothing(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    answer = tenant.api_with("admin", mode=Mode.TEST).post(f"{path(account)}verify/")
    assert answer.error == (403, "live_key_required")
    assert asked() == []


def test_only_the_scope_admin_will_do(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    api = tenant.api_with("send", "read", "templates", "users")
    assert api.post(f"{path(account)}verify/").error == (403, "insufficient_scope")
    assert asked() == []


def test_anothers_account_is_404(tenant: Tenant, other_tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    answer = other_tenant.api.post(f"{path(account)}verify/")
    assert answer.error == (404, "provider_account_not_found")
    assert asked() == []


@pytest.mark.parametrize("account_id", ["acct_" + "0" * 32, "nonsense"])
def test_what_is_not_there_is_404(tenant: Tenant, account_id: str) -> None:
    answer = tenant.api.post(f"{ACCOUNTS}{account_id}/verify/")
    assert answer.error == (404, "provider_account_not_found")


def test_a_provider_is_not_hammered_through_one_account(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    worker(asked()[0], REFUSED)
    # Nor with another password each time.
    tenant.api.call("PATCH", path(account), {"credentials": {"api_key": SECRET}})
    answer = tenant.api.post(f"{path(account)}verify/")
    assert answer.error == (429, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["Retry-After"]) <= verification.PAUSE_SECONDS
    assert len(asked()) == 1
    later(account, verification.PAUSE_SECONDS)
    assert tenant.api.post(f"{path(account)}verify/").status == 202


def test_nor_through_many(
    tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "ORGANIZATION_MOST", 2)
    accounts = [make_provider_account(tenant.organization) for _ in range(3)]
    answers = [tenant.api.post(f"{path(account)}verify/") for account in accounts]
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= verification.ORGANIZATION_SECONDS
    assert "2 accounts" in answers[2].body["message"]
    refused = tenant.api.get(path(accounts[2])).data["verification"]
    assert refused["status"] == "unverified"
    others = make_provider_account(other_tenant.organization)
    assert other_tenant.api.post(f"{path(others)}verify/").status == 202


# --- what changes meanwhile


@pytest.mark.parametrize(
    "change", [{"credentials": {"api_key": SECRET}}, {"sender": "Acme <other@acme.example>"}]
)
def test_what_was_shown_of_other_credentials_is_forgotten(
    tenant: Tenant, change: dict[str, Any]
) -> None:
    account = verified(tenant)
    changed = tenant.api.call("PATCH", path(account), change)
    assert changed.data["verification"]["status"] == "unverified"
    assert changed.data["verification"]["checked_at"] is None


@pytest.mark.parametrize(
    "change",
    [{"name": "Other"}, {"is_active": False}, {"sender": "Acme <hello@acme.example>"}],
)
def test_what_has_nothing_to_do_with_it_changes_nothing(
    tenant: Tenant, change: dict[str, Any]
) -> None:
    account = verified(tenant)
    changed = tenant.api.call("PATCH", path(account), change)
    assert changed.data["verification"]["status"] == "verified"


def test_the_answer_about_older_credentials_is_dropped(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    (request,) = asked()
    tenant.api.call("PATCH", path(account), {"credentials": {"api_key": SECRET}})
    assert worker(request).status_code == 404
    before = counted("late")
    answer = worker(request, VERIFIED)
    assert (answer.status_code, answer.json()["error"]) == (404, "verification_not_found")
    assert counted("late") == before + 1
    assert tenant.api.get(path(account)).data["verification"]["status"] == "unverified"


def test_the_first_of_two_answers_stands(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    (request,) = asked()
    assert worker(request, VERIFIED).status_code == 200
    assert worker(request, REFUSED).status_code == 404
    # A request that comes twice finds nothing left to check.
    assert worker(request).status_code == 404
    assert tenant.api.get(path(account)).data["verification"]["status"] == "verified"


def test_a_deleted_account_is_no_more_checked(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    tenant.api.post(f"{path(account)}verify/")
    (request,) = asked()
    tenant.api.call("DELETE", path(account))
    assert worker(request).status_code == 404
    assert worker(request, VERIFIED).status_code == 404


# --- what is down


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
