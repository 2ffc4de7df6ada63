"""Credentials at rest, in the admin, in logs and metrics, and while their keys change."""

import io
import logging
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from gateway.connections import credential_sealer
from gateway.provider_accounts.bodies import ProviderAccountBody
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_organization, make_provider_account
from gateway.tests.provider_accounts.test_api import ACCOUNTS, SECRET, sendgrid

NEW = "n3w-" + "k" * 20 + "0123456789"
OLD = "0ld-" + "k" * 20 + "0123456789"
ADMIN = "/admin/provider_accounts/provideraccount/"
CSRF_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
integration = pytest.mark.integration
database = pytest.mark.django_db


def run(*arguments: str) -> str:
    """What the command says."""
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def unsealed(account: ProviderAccount, sealer: CredentialSealer) -> dict[str, str]:
    stored = ProviderAccount.objects.get(pk=account.pk)
    return sealer.unseal(stored.pk, stored.organization_id, bytes(stored.sealed))


@integration
@database
def test_the_table_holds_no_secret(tenant: Tenant) -> None:
    tenant.api.post(ACCOUNTS, sendgrid())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(p)::text, sealed FROM provider_accounts_provideraccount p"
        )
        [(row, sealed)] = cursor.fetchall()
    for secret in (SECRET, SECRET[-8:]):
        assert secret not in row
        assert secret.encode() not in bytes(sealed)
        assert secret.encode().hex() not in row
    assert bytes(sealed).startswith(b"gAAAA")  # a Fernet token, version 0x80


@integration
@database
def test_nothing_of_a_secret_is_logged_or_measured(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    made = tenant.api.post(ACCOUNTS, sendgrid()).data
    path = f"{ACCOUNTS}{made['provider_account_id']}/"
    tenant.api.call("PATCH", path, {"credentials": {"api_key": SECRET, "x": SECRET}})
    tenant.api.call("PATCH", path, {"credentials": {"api_key": SECRET}})
    tenant.api.call("PATCH", path, f'{{"credentials": {{"api_key": "{SECRET}'.encode())
    tenant.api.post(ACCOUNTS, sendgrid(credentials={SECRET: SECRET}))
    worker_asks(tenant.id)
    tenant.api.call("DELETE", path)
    said = capsys.readouterr()
    for place in (caplog.text, said.out, said.err, Client().get("/metrics").content.decode()):
        assert SECRET not in place
    assert "provider account" in caplog.text + said.out + said.err


@integration
@database
def test_a_defect_while_sealing_tells_nothing(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(CredentialSealer, "seal", fail)
    answer = tenant.api.post(ACCOUNTS, sendgrid())
    assert answer.error == (500, "internal_error")
    assert SECRET not in str(answer.body) + caplog.text


def test_no_text_of_a_body_holds_a_secret() -> None:
    body = ProviderAccountBody(
        channel="email", provider="sendgrid", name="x", credentials={"api_key": SECRET}
    )
    assert SECRET not in f"{body!r} {body}"


@integration
@database
def test_the_admin_shows_accounts_without_their_secrets_and_changes_none(tenant: Tenant) -> None:
    account = make_provider_account(tenant.organization, credentials={"api_key": SECRET})
    page, client = f"{ADMIN}{account.pk}/change/", Client()
    client.force_login(User.objects.create_superuser("root"))
    tenant.api.post(f"{ACCOUNTS}{account.pk}/verify/")
    for path in (ADMIN, page):
        shown = client.get(path)
        assert shown.status_code == 200
        # A form's token is random, and may by chance hold what is looked for.
        text = CSRF_TOKEN.sub("", shown.content.decode())
        assert account.name in text
        assert "pending" in text
        for secret in (SECRET, SECRET[-4:], bytes(account.sealed).decode(), "gAAAA"):
            assert secret not in text
    assert client.post(page, {"name": "x", "sealed": "x", "is_active": ""}).status_code == 403
    assert client.get(f"{ADMIN}add/").status_code == 403
    assert client.post(f"{ADMIN}{account.pk}/delete/", {"post": "yes"}).status_code == 403
    stored = ProviderAccount.objects.get(pk=account.pk)
    assert (stored.name, bytes(stored.sealed)) == ("Ours", bytes(account.sealed))
    field = {"action": "delete_selected", "_selected_action": [account.pk], "post": "yes"}
    client.post(ADMIN, field)
    assert ProviderAccount.objects.filter(pk=account.pk).exists()


def test_the_first_key_seals_and_all_of_them_open() -> None:
    old, both, new = CredentialSealer([OLD]), CredentialSealer([NEW, OLD]), CredentialSealer([NEW])
    token = old.seal("acct_1", "org_1", {"api_key": SECRET})
    assert both.unseal("acct_1", "org_1", token) == {"api_key": SECRET}
    assert not both.is_newest(token)
    with pytest.raises(Unreadable):
        new.unseal("acct_1", "org_1", token)
    renewed = both.renew(token)
    assert both.is_newest(renewed)
    assert new.unseal("acct_1", "org_1", renewed) == {"api_key": SECRET}


@pytest.mark.parametrize("whose", [("acct_2", "org_1"), ("acct_1", "org_2")])
def test_a_token_of_another_row_does_not_open(whose: tuple[str, str]) -> None:
    sealer = CredentialSealer([NEW])
    token = sealer.seal("acct_1", "org_1", {"api_key": SECRET})
    with pytest.raises(Unreadable):
        sealer.unseal(*whose, token)


@integration
@database
def test_rotation_seals_all_with_the_first_key(configure: Any) -> None:
    configure(credentials_keys=(OLD,))
    organization = make_organization()
    accounts = [make_provider_account(organization) for _ in range(3)]
    changed_at = ProviderAccount.objects.get(pk=accounts[0].pk).updated_at
    configure(credentials_keys=(NEW, OLD))
    make_provider_account(organization)
    before = [bytes(a.sealed) for a in ProviderAccount.objects.order_by("pk")]
    said = run("rotate_credentials", "--dry-run")
    assert "3 accounts would be encrypted again, 1 have the first key already." in said
    assert [bytes(a.sealed) for a in ProviderAccount.objects.order_by("pk")] == before
    said = run("rotate_credentials")
    assert "4 so far" in said
    assert "3 accounts were encrypted again, 1 have the first key already." in said
    only_new = CredentialSealer([NEW])
    assert all(unsealed(account, only_new) for account in accounts)
    assert ProviderAccount.objects.get(pk=accounts[0].pk).updated_at == changed_at
    assert "0 accounts were encrypted again, 4 have" in run("rotate_credentials")


@integration
@database
def test_rotation_says_what_no_key_opens(configure: Any) -> None:
    configure(credentials_keys=(OLD,))
    account = make_provider_account()
    before = bytes(account.sealed)
    configure(credentials_keys=(NEW,))
    with pytest.raises(CommandError, match="No key opens 1 account"):
        run("rotate_credentials")
    assert bytes(ProviderAccount.objects.get(pk=account.pk).sealed) == before


@integration
@database
def test_an_account_that_no_key_opens_says_so_and_can_be_mended(
    tenant: Tenant, configure: Any
) -> None:
    configure(credentials_keys=(OLD,))
    account = make_provider_account(tenant.organization)
    configure(credentials_keys=(NEW,))
    path = f"{ACCOUNTS}{account.pk}/"
    assert tenant.api.get(path).data["credentials"] is None
    # Workers are told of it, so that the platform does not send in its place.
    [told] = worker_asks(tenant.id).json()["data"]["accounts"]
    assert told["credentials"] == {}
    tenant.api.call("PATCH", path, {"credentials": {"api_key": SECRET}})
    assert unsealed(account, credential_sealer()) == {"api_key": SECRET}


def worker_asks(organization_id: str, channel: str = "email", secret: str = "") -> Any:
    return Client().get(
        f"/internal/provider-accounts/?channel={channel}",
        headers={
            "X-Internal-Secret": secret or settings.CARILLON.internal_secrets[0],
            "X-Organization-ID": organization_id,
        },
    )


@integration
@database
def test_workers_get_the_active_accounts_of_one_organization_and_channel(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    second = make_provider_account(tenant.organization, position=2, weight=4)
    first = make_provider_account(tenant.organization, position=1, rate_per_second=0.5)
    make_provider_account(tenant.organization, is_active=False)
    make_provider_account(tenant.organization, channel="sms", provider="twilio")
    make_provider_account(other_tenant.organization)
    answer = worker_asks(tenant.id)
    accounts = answer.json()["data"]["accounts"]
    assert [account["account_id"] for account in accounts] == [first.pk, second.pk]
    assert accounts[0]["credentials"] == {"api_key": "SG.a-key-of-acme-that-is-long"}
    assert accounts[0]["rate_per_second"] == 0.5
    assert accounts[1]["weight"] == 4
    assert answer.headers["Cache-Control"] == "no-store"


@integration
@database
def test_no_account_is_an_answer(tenant: Tenant) -> None:
    assert worker_asks(tenant.id).json()["data"]["accounts"] == []
    assert worker_asks("org_" + "0" * 32).json()["data"]["accounts"] == []


@integration
@database
def test_the_workers_call_is_for_workers(tenant: Tenant) -> None:
    make_provider_account(tenant.organization)
    assert worker_asks(tenant.id, secret="wrong").status_code == 401
    assert worker_asks("").status_code == 400
    assert worker_asks(tenant.id, channel="fax").status_code == 400
    answer = tenant.api.get("/internal/provider-accounts/?channel=email")
    assert answer.error == (401, "authentication_required")
