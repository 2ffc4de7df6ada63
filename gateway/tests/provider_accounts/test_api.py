"""Provider accounts: made, shown without their secrets, changed, deleted, by their owner alone."""

from typing import Any

import pytest

from carillon.contracts.messages import Mode
from gateway.provider_accounts import services
from gateway.provider_accounts.apis import examples
from gateway.provider_accounts.models import ProviderAccount
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_provider_account

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ACCOUNTS = "/api/v1/provider-accounts/"
SECRET = "SG.canary5e1e93cad6fc054d8e7-WxYz"


def sendgrid(**fields: Any) -> dict[str, Any]:
    return {
        "channel": "email",
        "provider": "sendgrid",
        "name": "SendGrid",
        "sender": "Acme <hello@acme.example>",
        "credentials": {"api_key": SECRET},
        **fields,
    }


def test_an_account_is_made_and_never_shows_its_secret(tenant: Tenant) -> None:
    made = tenant.api.post(ACCOUNTS, sendgrid(position=2, weight=3, rate_per_second=5))
    assert made.status == 201, made.body
    account = made.data
    assert account["provider_account_id"].startswith("acct_")
    assert account["credentials"] == {"api_key": "…WxYz"}
    assert (account["position"], account["weight"], account["is_active"]) == (2, 3, True)
    assert account["rate_per_second"] == 5
    shown = tenant.api.get(f"{ACCOUNTS}{account['provider_account_id']}/")
    listed = tenant.api.get(ACCOUNTS)
    assert shown.data == account
    assert listed.data == [account]
    for answer in (made, shown, listed):
        assert SECRET[:-4] not in str(answer.body)


def test_what_is_no_secret_is_shown_and_short_secrets_not_at_all(tenant: Tenant) -> None:
    account = tenant.api.post(
        ACCOUNTS,
        {
            "channel": "sms",
            "provider": "twilio",
            "name": "Twilio",
            "sender": "+15005550006",
            "credentials": {"account_sid": "AC" + "0" * 32, "auth_token": "shortone"},
        },
    ).data
    assert account["credentials"] == {"account_sid": "AC" + "0" * 32, "auth_token": "…"}


def test_accounts_are_listed_by_channel_and_in_their_order(tenant: Tenant) -> None:
    for position in (3, 1, 2):
        make_provider_account(tenant.organization, position=position)
    listed = tenant.api.get(f"{ACCOUNTS}?limit=2")
    assert [account["position"] for account in listed.data] == [1, 2]
    assert listed.body["meta"]["total"] == 3


def test_what_is_not_sent_stays_and_credentials_are_replaced_whole(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    path = f"{ACCOUNTS}{account.pk}/"
    changed = tenant.api.call("PATCH", path, {"is_active": False, "rate_per_second": 0})
    assert changed.status == 200, changed.body
    assert (changed.data["is_active"], changed.data["rate_per_second"]) == (False, 0)
    assert changed.data["sender"] == "Acme <hello@acme.example>"
    before = bytes(ProviderAccount.objects.get(pk=account.pk).sealed)
    changed = tenant.api.call("PATCH", path, {"credentials": {"api_key": SECRET}})
    assert changed.data["credentials"] == {"api_key": "…WxYz"}
    assert changed.data["is_active"] is False
    assert bytes(ProviderAccount.objects.get(pk=account.pk).sealed) != before


def test_a_deleted_account_is_gone_with_its_credentials(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    path = f"{ACCOUNTS}{account.pk}/"
    assert tenant.api.call("DELETE", path).data == {"provider_account_id": account.pk}
    assert tenant.api.get(path).error == (404, "provider_account_not_found")
    assert not ProviderAccount.objects.filter(pk=account.pk).exists()


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("account_id", ["acct_" + "0" * 32, "nonsense", "key_" + "0" * 32])
def test_what_is_not_there_is_404(tenant: Tenant, method: str, account_id: str) -> None:
    body = {"name": "x"} if method == "PATCH" else None
    answer = tenant.api.call(method, f"{ACCOUNTS}{account_id}/", body)
    assert answer.error == (404, "provider_account_not_found")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_anothers_account_is_404(tenant: Tenant, other_tenant: Tenant, method: str) -> None:
    account = make_provider_account(tenant.organization)
    body = {"is_active": False} if method == "PATCH" else None
    answer = other_tenant.api.call(method, f"{ACCOUNTS}{account.pk}/", body)
    assert answer.error == (404, "provider_account_not_found")
    assert ProviderAccount.objects.get(pk=account.pk).is_active
    assert other_tenant.api.get(ACCOUNTS).data == []


def test_only_the_scope_admin_will_do(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    api = tenant.api_with("send", "read", "templates", "users")
    for method, path in (
        ("GET", ACCOUNTS),
        ("POST", ACCOUNTS),
        ("GET", f"{ACCOUNTS}{account.pk}/"),
        ("PATCH", f"{ACCOUNTS}{account.pk}/"),
        ("DELETE", f"{ACCOUNTS}{account.pk}/"),
    ):
        body = sendgrid() if method in {"POST", "PATCH"} else None
        assert api.call(method, path, body).error == (403, "insufficient_scope")


def test_a_test_key_sees_and_changes_nothing(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    api = tenant.api_with("admin", mode=Mode.TEST)
    path = f"{ACCOUNTS}{account.pk}/"
    assert api.get(path).status == 200
    for answer in (
        api.post(ACCOUNTS, sendgrid()),
        api.call("PATCH", path, {"is_active": False}),
        api.call("DELETE", path),
    ):
        assert answer.error == (403, "live_key_required")
    assert ProviderAccount.objects.get(pk=account.pk).is_active


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"channel": "fax"}, "channel", "Unknown channel."),
        ({"provider": "twilio"}, "provider", "Unknown provider of email."),
        ({"provider": "console"}, "provider", "Unknown provider of email."),
        ({"provider": "sandbox"}, "provider", "Unknown provider of email."),
        ({"credentials": {"key": SECRET}}, "credentials", "Missing: api_key."),
        ({"credentials": {"api_key": ""}}, "credentials", "Missing: api_key."),
        ({"credentials": {"api_key": SECRET, SECRET: "x"}}, "credentials", "1 unknown field"),
        ({"credentials": {"api_key": SECRET + "\n"}}, "credentials", "has not the form"),
        ({"credentials": {"api_key": SECRET + "é"}}, "credentials", "has not the form"),
        ({"credentials": {"api_key": 5}}, "credentials", "Expected"),
        ({"credentials": SECRET}, "credentials", "Expected"),
        ({"credentials": {}}, "credentials", "Expected"),
        ({"sender": ""}, "sender", "needs one"),
        ({"sender": "nobody"}, "sender", "Expected one such as"),
        ({"sender": "a@b.example\r\nBcc: c@d.example"}, "sender", "Expected one such as"),
        ({"name": "two\nlines"}, "name", "printable"),
        ({"weight": 0}, "weight", "Expected"),
        ({"position": -1}, "position", "Expected"),
        ({"rate_per_second": -1}, "rate_per_second", "Expected"),
        ({"organization_id": "org_x"}, "organization_id", "Unknown field"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_a_secret(
    tenant: Tenant, fields: dict[str, Any], field: str, said: str
) -> None:
    answer = tenant.api.post(ACCOUNTS, sendgrid(**fields))
    assert answer.error == (400, "validation_error")
    assert said in " ".join(answer.details[field])
    assert SECRET not in str(answer.body)
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize(
    ("provider", "credentials"),
    [
        ("smtp", {"url": "smtp://user:password@mail.acme.example:587"}),  # in the clear
        ("smtp", {"url": "http://169.254.169.254/"}),
        (
            "ses",
            {"region": "evil.example/x", "access_key_id": "A" * 20, "secret_access_key": SECRET},
        ),
        ("ses", {"region": "eu-west-1"}),  # the worker's own role would be used
    ],
)
def test_credentials_that_would_lead_elsewhere_are_refused(
    tenant: Tenant, provider: str, credentials: dict[str, str]
) -> None:
    answer = tenant.api.post(ACCOUNTS, sendgrid(provider=provider, credentials=credentials))
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == ["credentials"]


@pytest.mark.parametrize(
    ("provider", "sender", "credentials"),
    [
        # A path is a file of the worker's, another token address a host of the client's choice.
        ("fcm", "", {"service_account": "/run/secrets/firebase-service-account.json"}),
        (
            "fcm",
            "",
            {
                "service_account": '{"project_id": "acme", "client_email": "a@b", '
                '"private_key": "x", "token_uri": "https://evil.example/"}'
            },
        ),
        ("apns", "com.acme", {"key": "/etc/passwd", "key_id": "A" * 10, "team_id": "B" * 10}),
        ("webpush", "mailto:a@b.example", {"private_key": "/etc/passwd"}),
    ],
)
def test_push_keys_are_texts_and_never_paths(
    tenant: Tenant, provider: str, sender: str, credentials: dict[str, str]
) -> None:
    answer = tenant.api.post(
        ACCOUNTS,
        {
            "channel": "push",
            "provider": provider,
            "name": "Push",
            "sender": sender,
            "credentials": credentials,
        },
    )
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == ["credentials"]


def test_a_change_is_checked_like_a_new_one(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization)
    path = f"{ACCOUNTS}{account.pk}/"
    for body, field in (
        ({"credentials": {"api_key": SECRET, "more": "x"}}, "credentials"),
        ({"sender": ""}, "sender"),
        ({"provider": "smtp"}, "provider"),
        ({"channel": "sms"}, "channel"),
        ({"is_active": None}, "is_active"),
    ):
        answer = tenant.api.call("PATCH", path, body)
        assert answer.error == (400, "validation_error"), body
        assert list(answer.details) == [field]
        assert SECRET not in str(answer.body)


def test_there_are_not_too_many(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "ACCOUNTS_MOST", 1)
    assert tenant.api.post(ACCOUNTS, sendgrid()).status == 201
    refused = tenant.api.post(ACCOUNTS, sendgrid())
    assert refused.error == (409, "too_many_provider_accounts")


@pytest.mark.parametrize("example", [examples.NEW_SENDGRID, examples.NEW_TWILIO])
def test_the_examples_of_the_documentation_are_accepted(
    tenant: Tenant, example: dict[str, Any]
) -> None:
    assert tenant.api.post(ACCOUNTS, example).status == 201
