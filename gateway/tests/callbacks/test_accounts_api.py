"""`/api/v1/provider-accounts/{id}/callbacks/`: set, shown without secrets, forgotten."""

import io
import logging
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from carillon.contracts.messages import Mode
from gateway.callbacks import apis
from gateway.callbacks.accounts import seal_secrets, unseal_secrets, verifying_secrets
from gateway.callbacks.bodies import AccountCallbacksBody
from gateway.callbacks.models import AccountCallbacks
from gateway.connections import credential_sealer
from gateway.provider_accounts.sealing import Unreadable
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.signing import PUBLIC, SETTINGS
from gateway.tests.callbacks.test_accounts import CHANNELS, make_callbacks
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_provider_account
from gateway.tests.provider_accounts.test_secrecy import NEW, OLD, worker_asks

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ACCOUNTS = "/api/v1/provider-accounts/"
SECRET = "canary-5e1e93cad6fc054d8e7.WxYz"


def account_of(tenant: Tenant, provider: str = "postmark", **fields: Any) -> str:
    channel = CHANNELS[provider]
    credentials = {"auth_token": SETTINGS.twilio_auth_token}
    return str(
        make_provider_account(
            tenant.organization,
            provider=provider,
            channel=channel,
            credentials=credentials,
            **fields,
        ).pk
    )


def callbacks(account_id: str) -> str:
    return f"{ACCOUNTS}{account_id}/callbacks/"


def test_they_are_set_shown_without_the_secret_and_forgotten(
    tenant: Tenant, configure: Any
) -> None:
    configure(public_url=PUBLIC)
    account_id = account_of(tenant)
    path = callbacks(account_id)
    url = f"{PUBLIC}/callbacks/postmark/{account_id}/"
    assert tenant.api.get(f"{ACCOUNTS}{account_id}/").data["callback_url"] == url
    assert tenant.api.get(path).error == (404, "callbacks_not_set")
    made = tenant.api.call("PUT", path, {"secrets": {"secret": SECRET}})
    assert made.status == 200, made.body
    assert made.data["callback_url"] == url
    assert made.data["secrets"] == {"secret": "…WxYz"}
    assert made.data["receipts"] is False
    assert tenant.api.get(path).data == made.data
    again = tenant.api.call("PUT", path, {"secrets": {"secret": "x" * 16}, "receipts": True})
    assert again.data["secrets"] == {"secret": "…"}
    assert again.data["receipts"] is True
    assert AccountCallbacks.objects.count() == 1
    assert tenant.api.call("DELETE", path).data == {"provider_account_id": account_id}
    assert tenant.api.call("DELETE", path).error == (404, "callbacks_not_set")
    for answer in (made, again):
        assert SECRET not in str(answer.body)


def test_what_is_no_secret_is_shown(tenant: Tenant) -> None:
    key = signing.shown_key(signing.OTHER_SENDGRID_KEY)
    path = callbacks(account_of(tenant, "sendgrid"))
    body = {"secrets": {"public_key": key}}
    assert tenant.api.call("PUT", path, body).data["secrets"] == body["secrets"]


@pytest.mark.parametrize("provider", ["smtp", "sns", "fcm", "apns", "webpush"])
def test_who_reports_nothing_has_nothing_to_set(tenant: Tenant, provider: str) -> None:
    account_id = account_of(tenant, provider)
    assert tenant.api.get(f"{ACCOUNTS}{account_id}/").data["callback_url"] is None
    for method, body in (("GET", None), ("PUT", {"secrets": {}}), ("DELETE", None)):
        answer = tenant.api.call(method, callbacks(account_id), body)
        assert answer.error == (409, "no_callbacks")


@pytest.mark.parametrize(
    ("provider", "secrets", "said"),
    [
        ("postmark", {}, "Missing: secret."),
        ("postmark", {"secret": "short"}, "has not the form"),
        ("postmark", {"secret": SECRET + "\n"}, "has not the form"),
        ("postmark", {"secret": SECRET, SECRET: "x"}, "1 unknown field"),
        ("postmark", {"secret": 7}, "Expected"),
        ("postmark", SECRET, "Expected"),
        ("twilio", {"secret": SECRET}, "1 unknown field"),
        ("ses", {"topic_arn": "arn:aws:sns:eu-west-1.evil.example:123456789012:x"}, "the form"),
        ("ses", {"topic_arn": "arn:aws:sns:eu-west-1:123456789012:a,b"}, "has not the form"),
        ("sendgrid", {"public_key": "A" * 124}, "This is no key."),
        ("resend", {"signing_secret": SECRET}, "has not the form"),
        ("resend", {"signing_secret": "whsec_" + "A" * 25}, "has not the form"),
        ("meta", {"app_secret": "0" * 32}, "Missing: verify_token."),
        ("mailgun", {"signing_key": "é" * 20}, "has not the form"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_a_secret(
    tenant: Tenant, provider: str, secrets: Any, said: str
) -> None:
    path = callbacks(account_of(tenant, provider))
    answer = tenant.api.call("PUT", path, {"secrets": secrets})
    assert answer.error == (400, "validation_error")
    assert said in " ".join(answer.details["secrets"])
    assert SECRET not in str(answer.body)
    assert not AccountCallbacks.objects.exists()


def test_anothers_account_and_what_is_not_there_is_404(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    account_id = make_callbacks("postmark", tenant.organization).pk
    for api, whose in (
        (other_tenant.api, account_id),
        (tenant.api, "acct_" + "0" * 32),
        (tenant.api, "nonsense"),
    ):
        for method in ("GET", "PUT", "DELETE"):
            body = {"secrets": {"secret": SECRET}} if method == "PUT" else None
            answer = api.call(method, callbacks(whose), body)
            assert answer.error == (404, "provider_account_not_found")
    assert AccountCallbacks.objects.count() == 1


def test_who_may_not_decide_how_messages_are_sent_decides_nothing(tenant: Tenant) -> None:
    account_id = account_of(tenant)
    body = {"secrets": {"secret": SECRET}}
    sender = tenant.api_with("send", "read")
    tester = tenant.api_with("admin", mode=Mode.TEST)
    assert sender.get(callbacks(account_id)).error == (403, "insufficient_scope")
    assert sender.call("PUT", callbacks(account_id), body).error == (403, "insufficient_scope")
    assert tester.call("PUT", callbacks(account_id), body).error == (403, "live_key_required")
    assert tester.call("DELETE", callbacks(account_id)).error == (403, "live_key_required")


def test_workers_learn_where_receipts_go_to_and_no_secret(
    tenant: Tenant, configure: Any, django_assert_max_num_queries: Any
) -> None:
    configure(public_url=PUBLIC)
    with_receipts = account_of(tenant)
    without = account_of(tenant, position=1)
    unset = account_of(tenant, position=2)
    for account_id, receipts in ((with_receipts, True), (without, False)):
        body = {"secrets": {"secret": SECRET}, "receipts": receipts}
        assert tenant.api.call("PUT", callbacks(account_id), body).status == 200
    # However many accounts there are.
    with django_assert_max_num_queries(2):
        answer = worker_asks(tenant.id)
    told = {each["account_id"]: each for each in answer.json()["data"]["accounts"]}
    assert told[with_receipts]["callback_url"] == f"{PUBLIC}/callbacks/postmark/{with_receipts}/"
    assert "callback_url" not in told[without]
    assert "callback_url" not in told[unset]
    assert SECRET not in answer.content.decode()


def test_nothing_of_a_secret_is_stored_logged_or_shown(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    path = callbacks(account_of(tenant))
    tenant.api.call("PUT", path, {"secrets": {"secret": SECRET}})
    tenant.api.call("PUT", path, {"secrets": {"secret": SECRET, "x": SECRET}})
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text, sealed FROM callbacks_accountcallbacks c")
        [(row, sealed)] = cursor.fetchall()
    said = capsys.readouterr()
    body = AccountCallbacksBody(secrets={"secret": SECRET})
    for place in (row, bytes(sealed).decode(), caplog.text, said.out, said.err, repr(body)):
        assert SECRET not in place


def test_what_sends_does_not_verify_and_what_verifies_does_not_send(tenant: Tenant) -> None:
    """A token that was copied into the other table does not open."""
    stored = AccountCallbacks.objects.get(pk=make_callbacks("postmark", tenant.organization).pk)
    account, sealer = stored.account, credential_sealer()
    token = bytes(stored.sealed)
    with pytest.raises(Unreadable):
        sealer.unseal(account.pk, account.organization_id, token)
    stored.sealed = bytes(account.sealed)
    with pytest.raises(Unreadable):
        unseal_secrets(stored, sealer)


def test_the_keys_rotate_for_callbacks_too(configure: Any) -> None:
    configure(credentials_keys=(OLD,))
    account_id = make_callbacks("twilio").pk
    configure(credentials_keys=(NEW, OLD))
    output = io.StringIO()
    call_command("rotate_credentials", stdout=output)
    assert "2 accounts were encrypted again" in output.getvalue()
    configure(credentials_keys=(NEW,))
    stored = AccountCallbacks.objects.get(pk=account_id)
    secrets = verifying_secrets(stored, credential_sealer())
    assert secrets == {"auth_token": SETTINGS.twilio_auth_token}


def test_callbacks_that_no_key_opens_say_so_and_can_be_set_again(
    tenant: Tenant, configure: Any
) -> None:
    configure(credentials_keys=(OLD,))
    account_id = make_callbacks("postmark", tenant.organization).pk
    lender = make_callbacks("twilio", tenant.organization).pk
    configure(credentials_keys=(NEW,))
    path = callbacks(account_id)
    assert tenant.api.get(path).data["secrets"] is None
    body = {"secrets": {"secret": SECRET}}
    assert tenant.api.call("PUT", path, body).data["secrets"] == {"secret": "…WxYz"}
    # Twilio's are verified with what sends, which has to be mended first.
    refused = tenant.api.call("PUT", callbacks(lender), {"secrets": {}})
    assert refused.error == (400, "validation_error")
    assert "sent again first" in refused.details["secrets"][0]


def test_a_deleted_account_takes_its_callbacks_along(tenant: Tenant) -> None:
    account_id = make_callbacks("postmark", tenant.organization).pk
    assert tenant.api.call("DELETE", f"{ACCOUNTS}{account_id}/").status == 200
    assert not AccountCallbacks.objects.exists()


@pytest.mark.parametrize(
    ("provider", "example"),
    [
        ("sendgrid", apis.NEW_SENDGRID),
        ("postmark", apis.NEW_POSTMARK),
        ("twilio", apis.NEW_TWILIO),
    ],
)
def test_the_examples_of_the_documentation_are_accepted(
    tenant: Tenant, provider: str, example: dict[str, Any]
) -> None:
    answer = tenant.api.call("PUT", callbacks(account_of(tenant, provider)), example)
    assert answer.status == 200, answer.body


def test_a_sealed_secret_belongs_to_its_account(tenant: Tenant) -> None:
    sealer = credential_sealer()
    stored = AccountCallbacks.objects.get(pk=make_callbacks("postmark", tenant.organization).pk)
    for account_id, organization_id in (("acct_other", tenant.id), (stored.pk, "org_other")):
        stored.sealed = seal_secrets(account_id, organization_id, {"secret": SECRET}, sealer)
        with pytest.raises(Unreadable):
            unseal_secrets(stored, sealer)
