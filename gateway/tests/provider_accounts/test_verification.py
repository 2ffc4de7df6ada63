"""Verifying an account: asked for by its owner, answered by a worker, shown to both."""

from typing import Any

import pytest

from carillon.contracts.messages import Mode
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
from gateway.tests.provider_accounts.test_api import ACCOUNTS, SECRET
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def clean(tenant: Tenant) -> None:
    """See `forget_requests`."""
    forget_requests()


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


@pytest.mark.django_db(transaction=True)
def test_of_several_requests_at_once_one_is_a_check(committed_tenant: Tenant) -> None:
    account = make_provider_account(committed_tenant.organization)
    answers = at_once([lambda: committed_tenant.api.post(f"{path(account)}verify/")] * 4)
    assert [answer.status for answer in answers] == [202] * 4
    assert {answer.data["verification"]["status"] for answer in answers} == {"pending"}
    assert len(asked()) == 1


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


def test_a_provider_is_not_hammered_through_one_account(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "PAUSE_SECONDS", 600)
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
